// The budget of header bytes: what the upstream gets in all, the caller's own headers too.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { transform } from '../../src/transform/apply.ts'
import { kubernetesHeaders } from '../../src/transform/headers/kubernetes-headers.ts'
import { outgoingBytes } from '../../src/transform/outgoing-bytes.ts'
import type { Transformer } from '../../src/transform/transformer.ts'
import { requestOf, type HeaderLines } from '../fakes/envoy.ts'
import { outgoing } from '../fakes/outgoing.ts'
import { permitFor } from '../fakes/permit.ts'

const FOREVER = new AbortController().signal

const codeOf = async (
  headers: HeaderLines,
  maxHeaderBytes: number,
  transformers: readonly Transformer[] = [kubernetesHeaders()],
): Promise<string> => {
  const permit = permitFor({ groups: ['dev', 'ops'] }, { headers })
  const result = await transform(permit, outgoing(transformers, { maxHeaderBytes }), FOREVER)
  return result.outcome === 'failed' ? result.code : result.outcome
}

const bytesOf = (
  headers: HeaderLines,
  parts: Partial<Parameters<typeof outgoingBytes>[1]>,
  most = 0,
): number =>
  outgoingBytes(
    requestOf({ headers }),
    { setHeaders: [], repeatedHeaders: [], removeHeaders: [], ...parts },
    most,
  )

describe('the size of an outgoing request', () => {
  const none = bytesOf([], {})

  it('counts each line with its name, its value and four bytes', () => {
    assert.equal(bytesOf([['accept', '*/*']], {}) - none, 'accept: */*\r\n'.length)
    assert.equal(bytesOf([], { setHeaders: [['x-a', 'bc']] }) - none, 'x-a: bc\r\n'.length)
    const repeatedHeaders = [{ name: 'x-a', values: ['b', 'cd'] }]
    assert.equal(bytesOf([], { repeatedHeaders }) - none, 'x-a: b\r\nx-a: cd\r\n'.length)
  })

  it('counts bytes, not characters', () => {
    assert.equal(bytesOf([], { setHeaders: [['x-a', 'ü']] }) - none, 'x-a: \r\n'.length + 2)
  })

  it('does not count removed and replaced lines', () => {
    const headers: HeaderLines = [
      ['authorization', 'x'.repeat(1_000)],
      ['cookie', 'abc'],
    ]
    const kept = 'cookie: abc\r\n'.length
    assert.equal(bytesOf(headers, { removeHeaders: ['authorization'] }) - none, kept)
    const replaced = bytesOf(headers, { setHeaders: [['authorization', 'y']] }) - none
    assert.equal(replaced, kept + 'authorization: y\r\n'.length)
  })

  it('is estimated where it is below the limit in any case', () => {
    const headers: HeaderLines = [['authorization', 'x'.repeat(1_000)]]
    const rough = bytesOf(headers, { removeHeaders: ['authorization'] }, 10_000)
    assert.ok(rough - none > 1_000)
    assert.ok(rough <= 10_000)
  })
})

describe('a request beyond the header budget of its route', () => {
  const COOKIE: HeaderLines = [['cookie', 'c'.repeat(8_000)]]

  it('is refused for the sum of the client’s headers and those of the route', async () => {
    assert.equal(await codeOf(COOKIE, 10_000), 'transformed')
    assert.equal(await codeOf(COOKIE, 8_000), 'headers-too-large')
    assert.equal(await codeOf([], 8_000), 'transformed')
  })

  it('is refused for a token only', async () => {
    const token: Transformer = {
      kind: 'minted-token',
      transform: () => ({
        outcome: 'transformed',
        forwarding: {
          setHeaders: [['authorization', `Bearer ${'x'.repeat(20_000)}`]],
          repeatedHeaders: [],
        },
      }),
    }
    assert.equal(await codeOf([], 16_384, [token]), 'headers-too-large')
    assert.equal(await codeOf([], 32_768, [token]), 'transformed')
  })

  it('is refused where the decision id exceeds the budget', async () => {
    const least = async (sendsAuditId: boolean): Promise<number> => {
      for (let most = 500; ; most += 1) {
        const parts = outgoing([kubernetesHeaders()], { maxHeaderBytes: most, sendsAuditId })
        const { outcome } = await transform(permitFor(), parts, FOREVER)
        if (outcome === 'transformed') return most
      }
    }
    const id = `audit-id: ${randomUUID()}\r\n`
    assert.equal((await least(true)) - (await least(false)), id.length)
  })

  it('is not refused for the credential that is removed', async () => {
    assert.equal(await codeOf([['authorization', 'x'.repeat(8_000)]], 4_096), 'transformed')
  })
})

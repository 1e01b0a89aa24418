// Attackers who answer in place of an OCSP responder, and URLs of responders that certificates name.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OcspSource, type OcspOptions } from '../../../src/pki/ocsp/ocsp.ts'
import { context, element, sequence } from '../../../src/x509/der.ts'
import type { Extension } from '../../../src/x509/extensions.ts'
import { oidElement } from '../../../src/x509/oid.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { startScriptedHttp, type Script } from '../../servers/scripted-http.ts'
import { alice, ca, OPTIONS, says, setUp } from './asking.ts'
import { answer, Authority, single } from '../revoking.ts'
import { statusOf } from '../../authenticate/certificate/source-conformance.ts'

describe('a hostile OCSP responder', () => {
  const good = answer([single(alice)], { signer: ca })
  const cases: readonly { readonly name: string; readonly script: Script }[] = [
    { name: 'sends an HTML page', script: () => ({ body: Buffer.from('<html>') }) },
    { name: 'sends an empty answer', script: () => ({ body: Buffer.alloc(0) }) },
    { name: 'sends a truncated answer', script: () => ({ body: good.subarray(0, 100) }) },
    { name: 'sends an answer of 2 MB', script: () => ({ body: Buffer.alloc(2_000_000, 0x30) }) },
    {
      name: 'sends a valid answer of more than 64 KB',
      script: says({}, { certificates: [element(0x04, Buffer.alloc(70_000))] }),
    },
    {
      name: 'sends a compressed answer',
      script: () => ({ headers: { 'content-encoding': 'gzip' }, body: good }),
    },
    { name: 'sends a valid answer with status 404', script: () => ({ status: 404, body: good }) },
    {
      name: 'replays an answer to another client’s request',
      script: says({}, { nonce: Buffer.alloc(32, 1) }),
    },
    { name: 'signs with the key of another issuer', script: says({}, { signer: new Authority() }) },
  ]
  for (const { name, script } of cases) {
    it(`${name}: unavailable`, async () => {
      await using site = await setUp(script)
      assert.equal(await site.ask(), 'unavailable')
    })
  }

  it('cannot redirect the request to another server', async () => {
    await using elsewhere = await startScriptedHttp(says())
    await using site = await setUp(() => ({
      status: 302,
      headers: { location: `${elsewhere.origin}/` },
      body: good,
    }))
    assert.equal(await site.ask(), 'unavailable')
    assert.equal(elsewhere.requests.length, 0)
  })

  it('cannot have an answer accepted after it closed the connection half-way', async () => {
    await using site = await setUp(() => ({
      headers: { 'content-length': String(good.length + 10) },
      body: good,
    }))
    assert.equal(await site.ask(), 'unavailable')
  })
})

describe('the responder that a certificate names', () => {
  const naming = (...urls: readonly string[]): readonly Extension[] => [
    {
      oid: '1.3.6.1.5.5.7.1.1',
      critical: false,
      value: sequence(
        ...urls.map((url) =>
          sequence(
            oidElement('1.3.6.1.5.5.7.48.1'),
            element(context(6, 'primitive'), Buffer.from(url)),
          ),
        ),
      ),
    },
  ]
  const outcomeWith = async (
    url: (origin: string) => string,
    aia: OcspOptions['aia'],
  ): Promise<readonly [string, number]> => {
    await using site = await setUp(says(), { urls: [], aia })
    const issued = ca.issued({ extensions: naming(url(site.server.origin)) })
    return [await site.ask(issued), site.server.requests.length]
  }

  const byAddress = (origin: string): string => origin
  const byName = (origin: string): string => origin.replace('127.0.0.1', 'localhost')
  const CASES: readonly {
    readonly name: string
    readonly url: (origin: string) => string
    readonly aia: OcspOptions['aia']
    readonly want: readonly [outcome: string, requests: number]
  }[] = [
    {
      name: 'is queried where its host is listed',
      url: byAddress,
      aia: { hosts: ['127.0.0.1'] },
      want: ['good', 1],
    },
    {
      name: 'is not queried unless the configuration says so',
      url: byAddress,
      aia: undefined,
      want: ['unavailable', 0],
    },
    {
      name: 'is not queried on this machine, by address',
      url: byAddress,
      aia: { hosts: [] },
      want: ['unavailable', 0],
    },
    {
      name: 'is not queried on this machine, by name',
      url: byName,
      aia: { hosts: [] },
      want: ['unavailable', 0],
    },
  ]
  for (const { name, url, aia, want } of CASES) {
    it(name, async () => assert.deepEqual(await outcomeWith(url, aia), want))
  }

  it('is not queried at a host that is not listed', async () => {
    const policy = { hosts: ['ocsp.example.org'] }
    assert.deepEqual(await outcomeWith((origin) => origin, policy), ['unavailable', 0])
  })

  it('is queried after the configured ones only', async () => {
    await using site = await setUp(says())
    const { logger } = memoryLogger()
    const aia = { hosts: ['127.0.0.1'] }
    const urls = [`${site.server.origin}/configured`]
    const source = new OcspSource({ ...OPTIONS, urls, aia }, { clock: site.clock, logger })
    const extensions = naming(`${site.server.origin}/named`)
    site.server.script = ({ path }) =>
      path === '/named' ? { body: answer([single(alice)], { signer: ca }) } : { status: 503 }
    assert.equal((await statusOf(source, ca.issued({ extensions }))).outcome, 'good')
    assert.deepEqual(
      site.server.requests.map(({ path }) => path),
      ['/configured', '/named'],
    )
  })

  it('is one of three at most', async () => {
    await using site = await setUp(() => ({ status: 503 }), {
      urls: [],
      aia: { hosts: ['127.0.0.1'] },
    })
    const urls = Array.from({ length: 50 }, (_, index) => `${site.server.origin}/${index}`)
    await site.ask(ca.issued({ extensions: naming(...urls) }))
    assert.equal(site.server.requests.length, 3)
  })
})

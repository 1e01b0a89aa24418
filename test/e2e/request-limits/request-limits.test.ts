import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, http2, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, HOST, receivedBy, startSite, type Site } from '../site.ts'

const LONGEST_TARGET = 8_192
const MOST_PARAMETERS = 256
const MOST_AUDIT_BYTES = 2_048

const pathOf = (length: number): string => `/x?${'a'.repeat(length - 3)}`

const REFUSED = [
  {
    name: 'a target above the limit',
    path: pathOf(LONGEST_TARGET + 1),
    want: '414 target-too-long',
    says: /is too long/,
  },
  {
    name: 'a target of 50 KB',
    path: pathOf(50_000),
    want: '414 target-too-long',
    says: /is too long/,
  },
  {
    name: 'too many parameters',
    path: `/x?${'a&'.repeat(MOST_PARAMETERS)}`,
    want: '400 too-many-parameters',
    says: /too many parameters/,
  },
] as const

describe('the limits of requests, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  for (const [version, send] of Object.entries({ http1, http2 })) {
    it(`a target of 8 KiB reaches the upstream, with the identity (${version})`, async () => {
      const path = pathOf(LONGEST_TARGET)
      const answer = await send(site.target, { host: HOST, path, headers: [ALICE] })
      assert.equal(answer.status, 200)
      assert.ok(
        receivedBy(answer).some(([name, value]) => name === 'x-remote-user' && value === 'alice'),
      )
    })

    for (const { name, path, want, says } of REFUSED) {
      it(`${name}: ${want} (${version})`, async () => {
        site.upstream.clear()
        const answer = await send(site.target, { host: HOST, path, headers: [ALICE] })
        assert.equal(await verdictOf(site, answer), want)
        assert.match(answer.body, says)
        assert.equal(site.upstream.requests.length, 0)
        const event = (await site.events()).at(-1)
        assert.ok(Buffer.byteLength(JSON.stringify(event)) <= MOST_AUDIT_BYTES)
      })
    }

    for (const [name, headers] of Object.entries<readonly HeaderLine[]>({
      'more header lines than Envoy takes': Array.from({ length: 101 }, (_, n) => [`x-${n}`, 'v']),
      'more bytes of headers than Envoy takes': [['x-long', 'v'.repeat(62_000)]],
    })) {
      it(`${name} are refused by Envoy (${version})`, async () => {
        const earlier = (await site.events()).length
        const answer = send(site.target, { host: HOST, headers: [ALICE, ...headers] })
        if (version === 'http1') assert.equal((await answer).status, 431)
        else
          await answer.then(
            ({ status }) => assert.equal(status, 431),
            () => {},
          )
        assert.equal((await site.events()).length, earlier)
      })
    }
  }
})

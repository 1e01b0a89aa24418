import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { AUDIENCE, claimsOf, ISSUER, jwksOf, makeKey } from '../../authenticate/bearer/issuing.ts'
import { http1, http2, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, verdictOf } from '../asking.ts'
import { ALICE, HOST, startSite, type Site } from '../site.ts'
import { linesIn, routeOf, valuesNamed } from './sending.ts'

const REFUSED = '403 headers-too-large'
const KIB = 1_024

/** CEL for a text, or for several of them, of this length together. */
const textOf = (bytes: number): string => JSON.stringify('g'.repeat(bytes))
const listOf = (count: number, bytes: number): string =>
  JSON.stringify(Array.from({ length: count }, () => 'g'.repeat(bytes / count)))

const many = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`x-set-${index}`, '"v"']))

const ROUTES = [
  routeOf('none', {}),
  routeOf('line', { set: { 'x-groups': textOf(25_000) } }),
  routeOf('lines', { set: { 'x-groups': listOf(25, 25_000) } }),
  routeOf('most', { set: { 'x-groups': textOf(60_000) } }),
  routeOf('over', { set: { 'x-groups': textOf(62_000) } }),
  routeOf('many', { set: many }),
  routeOf('node', { headers: 'kubernetes', maxHeaderBytes: 16 * KIB }),
]

const cookie = (bytes: number): HeaderLine => ['cookie', `c=${'y'.repeat(bytes - 2)}`]
const own = (count: number): readonly HeaderLine[] =>
  Array.from({ length: count }, (_, index) => [`x-own-${index}`, '1'] as const)

const bytesIn = (answer: Answer): number =>
  linesIn(answer).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)

describe('6. the header budget, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let token: HeaderLine
  before(async () => {
    folder = await temporaryFolder()
    const keys = folder.file('keys.json')
    const key = await makeKey()
    await writeFile(keys, jwksOf(key))
    const now = Math.floor(Date.now() / 1_000)
    token = bearer(await key.token(claimsOf({ iat: now, exp: now + 3_600 })))
    site = await startSite({
      authenticators: {
        tokens: { bearer: { issuer: ISSUER, audiences: [AUDIENCE], keys: { file: keys } } },
      },
      route: { ...ROUTES[0], authenticate: ['tokens', 'staff'] },
      routes: ROUTES.slice(1),
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const limitsReached = async (): Promise<number> => {
    const text = await site.envoy.admin('/stats?filter=request_header_limits_reached')
    return Number(/: (\d+)/.exec(text)?.[1])
  }

  for (const [version, send] of Object.entries({ http1, http2 })) {
    const ask = (name: string, ...headers: readonly HeaderLine[]): Promise<Answer> =>
      send(site.target, { host: HOST, path: `/${name}`, headers })

    describe(`over ${version}`, () => {
      for (const name of ['line', 'lines']) {
        it(`refuses 40 KB of cookies next to 25 KB of groups (${name})`, async () => {
          site.upstream.clear()
          assert.equal(await verdictOf(site, await ask(name, ALICE, cookie(40_000))), REFUSED)
          assert.equal(site.upstream.requests.length, 0)
        })

        it(`forwards what is just below, complete (${name})`, async () => {
          const headers = [ALICE, cookie(35_000)]
          const answer = await ask(name, ...headers)
          assert.equal(answer.status, 200, await verdictOf(site, answer))
          assert.equal(valuesNamed(answer, 'x-groups').join('').length, 25_000)
          assert.deepEqual(valuesNamed(answer, 'cookie'), [cookie(35_000)[1]])
          assert.ok(bytesIn(answer) > 60_000)
        })

        it(`never reaches Envoy’s own limit (${name})`, async () => {
          const reached = await limitsReached()
          const statuses = []
          for (let bytes = 35_000; bytes < 37_000; bytes += 100) {
            statuses.push(await verdictOf(site, await ask(name, ALICE, cookie(bytes))))
          }
          assert.deepEqual(new Set(statuses), new Set(['200 permitted', REFUSED]))
          assert.deepEqual(statuses, statuses.toSorted())
          assert.equal(await limitsReached(), reached)
        })
      }

      it('forwards one header of the maximal size, and refuses a larger one', async () => {
        assert.equal((await ask('most', ALICE)).status, 200)
        assert.equal(await verdictOf(site, await ask('over', ALICE)), REFUSED)
      })

      it('refuses headers that exceed Envoy’s buffer before it removes any', async () => {
        // It is removed by authz alone, and the upstream would get 35 KB.
        const removed = ['dpop', 'z'.repeat(30_000)] as const
        const answer = await ask('line', ALICE, removed, cookie(10_000))
        assert.equal(await verdictOf(site, answer), REFUSED)
        const less = await ask('line', ALICE, removed)
        assert.equal(less.status, 200)
        assert.ok(bytesIn(less) < 26_000)
      })

      it('is that of the upstream, where that is lower', async () => {
        assert.equal((await ask('node', ALICE, cookie(14_000))).status, 200)
        assert.equal(await verdictOf(site, await ask('node', ALICE, cookie(16_000))), REFUSED)
        const removed = ['x-original-url', 'z'.repeat(30_000)] as const
        assert.equal((await ask('node', ALICE, removed)).status, 200)
      })

      for (const name of ['none', 'many', 'lines', 'node']) {
        it(`refuses too many lines before Envoy does (${name})`, async () => {
          const reached = await limitsReached()
          const statuses = []
          for (let count = 78; count < 96; count += 1) {
            statuses.push(await verdictOf(site, await ask(name, ALICE, ...own(count))))
          }
          assert.deepEqual(new Set(statuses), new Set(['200 permitted', REFUSED]))
          assert.deepEqual(statuses, statuses.toSorted())
          assert.equal(await limitsReached(), reached)
        })
      }

      it('includes the metadata that tells Envoy when a credential ends', async () => {
        const reached = await limitsReached()
        for (let count = 85; count < 96; count += 1) {
          const verdict = await verdictOf(site, await ask('none', token, ...own(count)))
          assert.match(verdict, /^(200 permitted|403 headers-too-large)$/)
        }
        assert.equal(await limitsReached(), reached)
      })

      it('does not concern headers that Envoy does not send to authz', async () => {
        const events = await site.events()
        const outcome = await ask('none', ALICE, cookie(62_000)).then(
          ({ status }) => String(status),
          (cause: unknown) => String(cause),
        )
        assert.match(outcome, version === 'http1' ? /^431$/ : /NGHTTP2_INTERNAL_ERROR/)
        assert.equal((await site.events()).length, events.length)
      })
    })
  }
})

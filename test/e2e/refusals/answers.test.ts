import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, http2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { ALICE, HOST, startSite, type Site } from '../site.ts'
import { singleOf } from '../asking.ts'

// Some that Envoy has a name for, and some that it has none for.
const STATUSES = [400, 401, 404, 409, 418, 429, 451, 499, 500, 503, 511, 599]

const HEADERS = {
  'content-type': 'application/xml',
  'retry-after': '60',
  'cache-control': 'private',
}

const RULES = [
  ...STATUSES.map((status) => ({
    deny: `with-${status}`,
    paths: [`/${status}`],
    response: { status, body: '<no rule="{rule}" decision="{decision}"/>', headers: HEADERS },
  })),
  { deny: 'login', paths: ['/private/**'], redirect: 'https://login.example.org/?to={url}' },
  { allow: 'rest' },
]

describe('the configured answer of a rule, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => (site = await startSite({ route: { authorize: RULES } })))
  after(() => site[Symbol.asyncDispose]())

  for (const [version, send] of Object.entries({ http1, http2 })) {
    for (const status of STATUSES) {
      it(`1. of ${status} reaches the caller (${version})`, async () => {
        const answer = await send(site.target, {
          host: HOST,
          path: `/${status}`,
          headers: [ALICE],
        })
        assert.equal(answer.status, status)
        const id = singleOf(answer, 'x-countersign-decision')
        assert.equal(answer.body, `<no rule="with-${status}" decision="${id}"/>`)
        for (const [name, value] of Object.entries(HEADERS)) {
          assert.equal(singleOf(answer, name), value)
        }
        assert.equal(singleOf(answer, 'x-content-type-options'), 'nosniff')
        const event = (await site.events()).findLast((candidate) => candidate.id === id)
        assert.deepEqual([event?.status, event?.rule], [status, `with-${status}`])
        assert.equal(site.upstream.requests.length, 0)
      })
    }

    it(`2. redirects the caller (${version})`, async () => {
      const path = '/private/a%20b?c=d&e'
      const answer = await send(site.target, { host: `${HOST}:8443`, path, headers: [ALICE] })
      assert.equal(answer.status, 302)
      assert.equal(
        singleOf(answer, 'location'),
        `https://login.example.org/?to=${encodeURIComponent(`https://${HOST}:8443${path}`)}`,
      )
      assert.equal(singleOf(answer, 'cache-control'), 'no-store')
    })
  }

  it('2. has no body with HEAD', async () => {
    const answer = await http1(site.target, {
      host: HOST,
      path: '/404',
      method: 'HEAD',
      headers: [ALICE],
    })
    assert.deepEqual([answer.status, answer.body], [404, ''])
  })
})

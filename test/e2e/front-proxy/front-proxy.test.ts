import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, http2, valuesOf, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { upgradeRaw } from '../../servers/raw-client.ts'
import { ALICE, basic, HOST, PASSWORDS, received, startSite, type Site } from '../site.ts'

const decisionOf = (answer: Answer): string => {
  const ids = valuesOf(answer, 'x-countersign-decision')
  assert.equal(ids.length, 1)
  return ids[0] ?? ''
}

for (const listen of ['unix', 'tcp', 'mtls'] as const) {
  describe(
    `a password in, identity headers out (authz over ${listen})`,
    { skip: skipWithoutEnvoy() },
    () => {
      let site: Site
      before(async () => (site = await startSite({ listen })))
      after(() => site[Symbol.asyncDispose]())

      for (const [version, send] of Object.entries({ http1, http2 })) {
        it(`1. forwards alice with a line per group and without her password (${version})`, async () => {
          const answer = await send(site.target, {
            host: HOST,
            path: '/hello?x=1',
            headers: [ALICE],
          })
          assert.equal(answer.status, 200)
          assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
          assert.deepEqual(received(answer, 'x-remote-uid'), ['1001'])
          assert.deepEqual(received(answer, 'x-remote-group'), ['dev', 'ops', 'with, comma'])
          assert.deepEqual(received(answer, 'x-remote-extra-example.org%2fteam'), ['blue', 'red'])
          assert.deepEqual(received(answer, 'x-remote-extra-plan'), ['gold'])
          assert.deepEqual(received(answer, 'authorization'), [])
          assert.equal(JSON.parse(answer.body).client, 'front-proxy')
          assert.equal(JSON.parse(answer.body).url, '/hello?x=1')
          decisionOf(answer)
        })
      }

      it('2. has one decision id in the answer and in the audit log', async () => {
        const answer = await http1(site.target, {
          host: `${HOST}:8443`,
          path: '/a',
          headers: [ALICE],
        })
        const id = decisionOf(answer)
        const events = (await site.events()).filter((event) => event.id === id)
        assert.equal(events.length, 1)
        const [event] = events
        assert.equal(event?.decision, 'allow')
        assert.equal(event.user, 'alice')
        assert.deepEqual(event.groups, ['dev', 'ops', 'with, comma'])
        assert.equal(event.rule, 'rest')
        assert.equal(event.route, 'api')
        assert.equal(event.source, '127.0.0.1')
        assert.match(event.request ?? '', /^[0-9a-f-]{36}$/)
      })

      it('3. refuses a denied path, a denied user, and a method that no rule allows', async () => {
        const cases = [
          {
            path: '/secrets/1',
            method: 'GET',
            who: ALICE,
            reason: 'rule-denied',
            rule: 'no-secrets',
          },
          {
            path: '/not-bob',
            method: 'GET',
            who: basic('bob', PASSWORDS.bob),
            reason: 'rule-denied',
            rule: 'not-bob',
          },
          { path: '/hello', method: 'DELETE', who: ALICE, reason: 'no-rule', rule: undefined },
        ]
        for (const { path, method, who, reason, rule } of cases) {
          const answer = await http1(site.target, { host: HOST, path, method, headers: [who] })
          assert.equal(answer.status, 403)
          const named = rule === undefined ? '' : `Rule: ${rule}\n`
          const text = `403 Forbidden\n\nAccess denied. If you need access, ask the operator of this service.\n${named}Decision: `
          assert.ok(answer.body.startsWith(text), answer.body)
          const id = decisionOf(answer)
          const event = (await site.events()).find((candidate) => candidate.id === id)
          assert.equal(event?.reason, reason)
          assert.equal(event.rule, rule)
        }
      })

      it('4. refuses a host without a route, with a decision id', async () => {
        const answer = await http1(site.target, { host: 'other.example.org', headers: [ALICE] })
        assert.equal(answer.status, 403)
        assert.match(answer.body, /No service is published at this host and path/)
        const id = decisionOf(answer)
        assert.equal((await site.events()).find((event) => event.id === id)?.reason, 'no-route')
      })

      it('5. answers JSON to callers that accept JSON', async () => {
        const headers = [['Accept', 'application/json']] as const
        const answer = await http1(site.target, { host: HOST, headers })
        assert.equal(answer.status, 401)
        assert.deepEqual(valuesOf(answer, 'content-type'), ['application/problem+json'])
        assert.equal(JSON.parse(answer.body).decision, decisionOf(answer))
      })
    },
  )
}

describe('a path without a route', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  const match = { hosts: [HOST], paths: ['/api/**'] }
  before(async () => (site = await startSite({ route: { match } })))
  after(() => site[Symbol.asyncDispose]())

  it('is refused with 403 and a decision id, and the path next to it is forwarded', async () => {
    const refused = await http1(site.target, { path: '/other', headers: [ALICE] })
    assert.equal(refused.status, 403)
    const id = decisionOf(refused)
    assert.equal((await site.events()).find((event) => event.id === id)?.reason, 'no-route')
    const forwarded = await http1(site.target, { path: '/api/x', headers: [ALICE] })
    assert.equal(forwarded.status, 200)
  })
})

describe('upgrades', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => (site = await startSite()))
  after(() => site[Symbol.asyncDispose]())

  for (const protocol of ['websocket', 'SPDY/3.1']) {
    it(`tunnels ${protocol} with the identity, and refuses it without a credential`, async () => {
      const headers = [
        ['Host', HOST],
        ['Connection', 'Upgrade'],
        ['Upgrade', protocol],
      ] as const
      site.upstream.clear()
      using upgraded = await upgradeRaw(site.target, { headers: [...headers, ALICE] })
      assert.equal(upgraded.answer.status, 101)
      const lines = site.upstream.requests.flatMap(({ rawHeaders }) => rawHeaders)
      assert.ok(lines.includes('alice'))
      assert.ok(!lines.some((name) => name.toLowerCase() === 'authorization'))
      using refused = await upgradeRaw(site.target, { headers })
      assert.equal(refused.answer.status, 401)
    })
  }
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http2, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw } from '../../servers/raw-client.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, HOST, startSite, type Site } from '../site.ts'
import { linesIn, linesNamed, routeOf } from './sending.ts'

const SET = ['x-claim', 'x-claims', 'x-empty'] as const

/** Each route, and what of these headers alice’s upstream gets there. */
const ROUTES = {
  kubernetes: {
    forward: { headers: 'kubernetes' },
    want: [
      ['x-remote-extra-example.org%2fteam', 'blue'],
      ['x-remote-extra-example.org%2fteam', 'red'],
      ['x-remote-extra-plan', 'gold'],
      ['x-remote-group', 'dev'],
      ['x-remote-group', 'ops'],
      ['x-remote-group', 'with, comma'],
      ['x-remote-uid', '1001'],
      ['x-remote-user', 'alice'],
    ],
  },
  grafana: {
    forward: { headers: 'grafana' },
    want: [
      ['x-webauth-groups', '["dev","ops","with, comma"]'],
      ['x-webauth-user', 'alice'],
    ],
  },
  omit: { forward: { headers: 'certificate', certificateHeaders: { missing: 'omit' } }, want: [] },
  set: {
    forward: {
      set: { 'X-Claim': 'identity.user', 'x-claims': '["a", "b"]', 'X-Empty': '[]' },
    },
    want: [
      ['x-claim', 'alice'],
      ['x-claims', 'a'],
      ['x-claims', 'b'],
    ],
  },
  plain: { forward: {}, want: [] },
} as const

const FORGED = [
  ...['user', 'group', 'uid', 'extra-plan', 'extra-any', 'name'].map((name) => `x-remote-${name}`),
  ...['user', 'groups', 'email', 'role'].map((name) => `x-webauth-${name}`),
  ...['user', 'group', 'groups', 'email', 'preferred-username', 'id-token', 'access-token'].map(
    (name) => `x-forwarded-${name}`,
  ),
  'x-cert-subject',
  'x-cert-contents',
  'x-cert-any',
  'client-cert',
  'client-cert-chain',
  'x-forwarded-client-cert',
  'x-countersign-jwt-assertion',
  ...SET,
]

const OURS =
  /^(x-(remote|webauth|cert|countersign|claim|empty)|client-cert|x-forwarded-(?!for|proto))/

describe('4. forged headers, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    const [first, ...routes] = [
      ...Object.entries(ROUTES).map(([name, { forward }]) => routeOf(name, forward)),
      routeOf('impersonation', { headers: 'impersonation' }),
    ]
    site = await startSite({ route: first ?? {}, routes })
  })
  after(() => site[Symbol.asyncDispose]())

  const over: Readonly<
    Record<string, (name: string, headers: readonly HeaderLine[]) => Promise<Answer>>
  > = {
    'HTTP/1.1': (name, headers) =>
      sendRaw(site.target, {
        line: `GET /${name} HTTP/1.1`,
        headers: [['Host', HOST], ALICE, ...headers],
      }),
    'HTTP/2': (name, headers) =>
      http2(site.target, { host: HOST, path: `/${name}`, headers: [ALICE, ...headers] }),
  }

  for (const [name, { want }] of Object.entries(ROUTES)) {
    for (const [version, ask] of Object.entries(over)) {
      it(`are all removed on the route "${name}" (${version})`, async () => {
        const answer = await ask(
          name,
          FORGED.map((header) => [header, 'forged'] as const),
        )
        assert.equal(answer.status, 200, answer.body)
        assert.deepEqual(linesNamed(answer, OURS), want)
        assert.ok(!linesIn(answer).some(([, value]) => value.includes('forged')))
      })

      it(`are removed on the route "${name}", twice and empty (${version})`, async () => {
        for (const header of SET) {
          const lines = [
            [header, 'forged'],
            [header, ''],
            [header, 'forged'],
          ] as const
          const answer = await ask(name, lines)
          assert.deepEqual(linesNamed(answer, OURS), want, header)
        }
      })
    }

    it(`are removed on the route "${name}" in any spelling`, async () => {
      const spellings = SET.map((header) => header.toUpperCase())
      const ask = over['HTTP/1.1'] ?? assert.fail()
      const answer = await ask(
        name,
        spellings.map((header) => [header, 'forged'] as const),
      )
      assert.deepEqual(linesNamed(answer, OURS), want)
    })

    it(`are refused on the route "${name}" with underscores`, async () => {
      site.upstream.clear()
      for (const header of [...SET, 'x-webauth-user', 'x-forwarded-user', 'client-cert']) {
        const line = [header.replaceAll('-', '_'), 'forged'] as const
        const ask = over['HTTP/1.1'] ?? assert.fail()
        assert.equal((await ask(name, [line])).status, 400, header)
      }
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  for (const [version, ask] of Object.entries(over)) {
    it(`are refused where they impersonate, even next to the route’s own headers (${version})`, async () => {
      site.upstream.clear()
      for (const header of ['impersonate-user', 'impersonate-group', 'impersonate-extra-any']) {
        for (const name of ['impersonation', 'plain']) {
          const answer = await ask(name, [[header, 'root']])
          assert.equal(await verdictOf(site, answer), '403 impersonation', `${header} on ${name}`)
        }
      }
      assert.equal(site.upstream.requests.length, 0)
    })
  }
})

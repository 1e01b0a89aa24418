// Answers and audit lines are prepared for what comes again. Whatever changes of what they depend on, a service that has
// prepared other answers gives the same as one that has not.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { AUDIENCE, ISSUER, NOW } from '../../authenticate/bearer/issuing.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import { openSite, type Circumstances, type Site } from './two-services.ts'

const TOKENS = {
  bearer: { issuer: ISSUER, audiences: [AUDIENCE], keys: { file: 'keys.json' } },
  identity: { user: 'claims.sub', groups: 'claims.?groups.orValue([])' },
}

const ROUTE = {
  name: 'app',
  match: { hosts: ['app.example.org', 'www.example.org'] },
  authenticate: ['tokens'],
  authorize: [
    { deny: 'no-secrets', paths: ['/secrets/**'] },
    { allow: 'office', paths: ['/office/**'], sources: ['203.0.113.0/24'] },
    { deny: 'only-office', paths: ['/office/**'] },
    { allow: 'readers', methods: ['GET'] },
    { allow: 'writers', groups: ['dev'] },
  ],
  forward: { headers: 'kubernetes' },
}

const SMALL = { ...ROUTE.forward, maxHeaderBytes: 4_096 }

/** Of several transformers. */
const SEVERAL = {
  ...ROUTE,
  name: 'several',
  match: { hosts: ['several.example.org'] },
  forward: { headers: ['kubernetes', 'grafana'], set: { 'X-Email': 'claims.?email' } },
}

const OTHER_ROUTE = {
  ...ROUTE,
  name: 'other',
  match: { hosts: ['other.example.org'] },
  forward: { headers: ['grafana'] },
}

const CLUSTER = {
  ...ROUTE,
  name: 'cluster',
  kind: 'kubernetes',
  match: { hosts: ['kube.example.org'] },
  authorize: [{ allow: 'all' }],
  forward: { headers: 'kubernetes', auditId: true },
}

const CERTIFIED = {
  ...ROUTE,
  name: 'certified',
  match: { hosts: ['certified.example.org'] },
  forward: { certificate: { ca: 'users', subject: { CN: 'identity.user', O: 'identity.groups' } } },
}

/** Of a transformer whose result changes with time, and of another one. */
const BOTH = {
  ...CERTIFIED,
  name: 'both',
  match: { hosts: ['both.example.org'] },
  forward: { ...CERTIFIED.forward, headers: 'kubernetes' },
}

const configurationWith = (
  route: object = {},
  { tokens = {}, more = {} }: { readonly tokens?: object; readonly more?: object } = {},
): object => ({
  version: 1,
  listen: { authz: 'unix:authz.sock' },
  certificateGrants: { keyring: 'file:grant.keys' },
  authenticators: { tokens: { ...TOKENS, bearer: { ...TOKENS.bearer, ...tokens } } },
  routes: [{ ...ROUTE, ...route }, SEVERAL, OTHER_ROUTE, CLUSTER, CERTIFIED, BOTH],
  audit: { file: 'audit.jsonl' },
  ...more,
})

const CONFIGURATION = configurationWith()

const USUAL: Circumstances = {
  configuration: CONFIGURATION,
  generation: 1,
  request: { path: '/inbox?page=1', host: 'app.example.org', headers: [['x-request-id', 'r-1']] },
  claims: { groups: ['dev', 'ops'], email: 'alice@example.org', exp: NOW + 3_600 },
  at: 0,
}

type Change = Partial<Omit<Circumstances, 'request'>> & { readonly request?: RequestParts }

interface Case {
  readonly name: string
  /** The circumstances before it, where they are not the usual ones. */
  readonly from?: Change
  readonly change: Change
  /** Whether the result remains the same. */
  readonly isSame?: true
}

const changed = (from: Circumstances, change: Change = {}): Circumstances => ({
  ...from,
  ...change,
  request: { ...from.request, ...change.request },
  claims: { ...from.claims, ...change.claims },
})

const header = (name: string, value: string): RequestParts => ({
  headers: [
    ['x-request-id', 'r-1'],
    [name, value],
  ],
})

const OF_THE_REQUEST: readonly Case[] = [
  { name: 'the path', change: { request: { path: '/outbox' } } },
  { name: 'the query', change: { request: { path: '/inbox?page=2&more' } } },
  { name: 'the method, by which another rule decides', change: { request: { method: 'PUT' } } },
  { name: 'the host, and with it the route', change: { request: { host: 'other.example.org' } } },
  { name: 'another host of the route', change: { request: { host: 'www.example.org' } } },
  { name: 'the route that Envoy names', change: { request: { route: 'other' } } },
  { name: 'the id of the request', change: { request: { headers: [['x-request-id', 'r-2']] } } },
  { name: 'no id of the request', change: { request: { headers: [] } } },
  { name: 'the source address', change: { request: { sourceAddress: '198.51.100.9' } } },
  {
    name: 'the source address, which a rule reads',
    from: { request: { path: '/office/a' } },
    change: { request: { sourceAddress: '198.51.100.9' } },
  },
  { name: 'a path that a rule denies', change: { request: { path: '/secrets/a' } } },
  { name: 'a forged header', change: { request: header('x-remote-uid', 'root') } },
  { name: 'the same in another spelling', change: { request: header('X_Remote_Uid', 'root') } },
  {
    name: 'a forged header that is set',
    change: { request: header('x-remote-user', 'root') },
    isSame: true,
  },
  { name: 'a forged header of groups', change: { request: header('x-remote-group', 'root') } },
  {
    name: 'which forged header there is',
    from: { request: header('x-remote-group', 'root') },
    change: { request: header('x-remote-extra-a', 'root') },
  },
  { name: 'a cookie', change: { request: header('cookie', 'theme=dark') }, isSame: true },
  {
    name: 'a cookie of Countersign',
    change: { request: header('cookie', 'theme=dark; __Host-countersign-a=1') },
  },
  {
    name: 'nothing but that cookie',
    change: { request: header('cookie', '__Host-countersign=1') },
  },
  { name: 'headers that are too large', change: { request: header('x-a', 'a'.repeat(61_000)) } },
  { name: 'a path with two readings', change: { request: { path: '/a%2fb' } } },
  {
    name: 'the resource of Kubernetes',
    from: { request: { host: 'kube.example.org', path: '/api/v1/namespaces/a/pods' } },
    change: { request: { path: '/api/v1/namespaces/b/pods/c' } },
  },
  {
    name: 'an audit id of the client',
    from: { request: { host: 'kube.example.org', path: '/api/v1/pods' } },
    change: { request: header('audit-id', 'forged') },
    isSame: true,
  },
]

const OF_THE_CREDENTIAL: readonly Case[] = [
  { name: 'the user', change: { claims: { sub: 'bob' } } },
  { name: 'a user of as many characters', change: { claims: { sub: 'alina' } } },
  { name: 'the groups', change: { claims: { groups: ['dev', 'qa'] } } },
  { name: 'one group, which is a header of its own', change: { claims: { groups: ['dev'] } } },
  { name: 'no groups', change: { claims: { groups: [] } } },
  {
    name: 'a claim that an expression reads',
    from: { request: { host: 'several.example.org' } },
    change: { claims: { email: 'alice@example.com' } },
  },
  {
    name: 'the user of several headers',
    from: { request: { host: 'several.example.org' } },
    change: { claims: { sub: 'alina' } },
  },
  { name: 'a claim that is recorded', change: { claims: { jti: 'token-2' } } },
  { name: 'the end of the credential', change: { claims: { exp: NOW + 3_601 } } },
  { name: 'an end with fewer digits', change: { claims: { exp: NOW + 60 } } },
  { name: 'an end that is far away', change: { claims: { exp: NOW + 40 * 86_400 } } },
  { name: 'a credential that has ended', change: { claims: { exp: NOW - 3_600 } } },
  {
    name: 'the user of a certificate handle',
    from: { request: { host: 'certified.example.org' } },
    change: { claims: { sub: 'bob' } },
  },
]

const OF_THE_TIME: readonly Case[] = [
  { name: 'a millisecond', change: { at: 1 } },
  { name: 'a time by which the time left has fewer digits', change: { at: 2_700_000 } },
  { name: 'a time by which the credential has ended', change: { at: 4_000_000 } },
]

const SLOTS: readonly Case[] = ['certified', 'both'].map((route) => ({
  name: `a time by which a certificate handle is another one, on route ${route}`,
  from: { request: { host: `${route}.example.org` }, claims: { exp: NOW + 86_400 } },
  change: { at: 80_000_000 },
}))

const during = (...times: readonly object[]): object =>
  configurationWith({ authorize: [{ allow: 'then', times }] })

const OF_THE_CONFIGURATION: readonly (readonly [name: string, configuration: object])[] = [
  ['headers', configurationWith({ forward: { headers: ['impersonation'] } })],
  ['no headers', configurationWith({ forward: { set: { 'X-Email': 'claims.?email' } } })],
  [
    'an expression of a header',
    configurationWith({ forward: { ...ROUTE.forward, set: { 'X-Email': 'claims.sub' } } }),
  ],
  [
    'the name of a header',
    configurationWith({ forward: { ...ROUTE.forward, set: { 'X-Mail2': 'claims.?email' } } }),
  ],
  ['a credential that is passed through', configurationWith({ forward: { passthrough: true } })],
  ['the name of the rule', configurationWith({ authorize: [{ allow: 'everyone' }] })],
  ['a rule that denies', configurationWith({ authorize: [{ deny: 'everyone' }] })],
  [
    'a rule in shadow',
    configurationWith({ authorize: [{ deny: 'soon', shadow: true }, ...ROUTE.authorize] }),
  ],
  ['a condition', configurationWith({ authorize: [{ allow: 'a', when: 'claims.sub == "bob"' }] })],
  ['times of a rule', during({ days: ['mon'], from: '00:00', to: '24:00', timeZone: 'UTC' })],
  ['the name of the route', configurationWith({ name: 'application' })],
  [
    'the keys of the issuer',
    configurationWith({}, { tokens: { keys: { file: 'other-keys.json' } } }),
  ],
  ['the audience', configurationWith({}, { tokens: { audiences: ['another'] } })],
  ['what tokens require', configurationWith({}, { tokens: { require: 'claims.sub == "bob"' } })],
  [
    'the identity mapping',
    {
      ...configurationWith(),
      authenticators: { tokens: { ...TOKENS, identity: { user: '"u:" + claims.sub' } } },
    },
  ],
  [
    'the name of the authenticator',
    {
      ...configurationWith(),
      authenticators: { jwt: TOKENS },
      routes: [ROUTE, OTHER_ROUTE].map((route) => ({ ...route, authenticate: ['jwt'] })),
    },
  ],
  [
    'what is recorded of queries',
    configurationWith({}, { more: { audit: { file: 'audit.jsonl', query: 'none' } } }),
  ],
]

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'of the request': OF_THE_REQUEST,
  'of the credential': OF_THE_CREDENTIAL,
  'of the time': [...OF_THE_TIME, ...SLOTS],
  'of the configuration': [
    { name: 'its number', change: { generation: 2 } },
    {
      name: 'the most bytes of headers',
      from: { request: header('x-a', 'a'.repeat(4_000)) },
      change: { configuration: configurationWith({ forward: SMALL }) },
    },
    {
      name: 'limits of requests',
      from: { request: { path: `/inbox?${'a&'.repeat(100)}` } },
      change: { configuration: configurationWith({}, { more: { limits: { parameters: 64 } } }) },
    },
    ...OF_THE_CONFIGURATION.map(([name, configuration]) => ({ name, change: { configuration } })),
  ],
}

let site: Site

before(async () => {
  site = await openSite()
})

after(async () => {
  await site[Symbol.asyncDispose]()
})

for (const [kind, cases] of Object.entries(CASES)) {
  describe(`an answer that was prepared, after a change ${kind}`, () => {
    for (const { name, from, change, isSame = false } of cases) {
      it(`is that of a new service: ${name}`, async () => {
        const usual = changed(USUAL, from)
        const other = changed(usual, change)
        await using warm = site.warm()
        const first = await warm.check(usual)
        // Before anything is prepared, and with it.
        assert.deepEqual(await warm.check(usual), first)
        assert.deepEqual(await warm.check(usual), await site.cold(usual))
        const result = await warm.check(other)
        assert.equal(isDeepStrictEqual(result, first), isSame, 'whether the change changes nothing')
        assert.deepEqual(result, await site.cold(other))
        assert.deepEqual(await warm.check(other), result)
        // The clock never goes back, so the first circumstances come again with the later time.
        const again = { ...usual, at: other.at }
        assert.deepEqual(await warm.check(again), await site.cold(again))
      })
    }
  })
}

describe('an answer that was prepared', () => {
  it('is that of a new service where all changes come after each other', async () => {
    await using warm = site.warm()
    const all = Object.values(CASES).flatMap((cases) =>
      cases.map(({ from, change }) => changed(changed(USUAL, from), change)),
    )
    const inOrder = all.toSorted((one, other) => one.at - other.at)
    for (const circumstances of inOrder) {
      assert.deepEqual(await warm.check(circumstances), await site.cold(circumstances))
    }
  })
})

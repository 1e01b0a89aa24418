import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, http2, pairsOf, valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { upgradeRaw } from '../../servers/raw-client.ts'
import { verdictOf } from '../asking.ts'
import { ALICE, basic, HOST, PASSWORDS, receivedBy, startSite, type Site } from '../site.ts'

const PODS = '/api/v1/namespaces/default/pods'
const BOB = basic('bob', PASSWORDS.bob)

const DEPUTY = {
  allow: 'deputies',
  groups: ['ops'],
  impersonate: {
    users: ['bob', 'jürgen'],
    groups: ['dev', 'with, comma'],
    uids: ['7'],
    extra: { 'acme.com/team': ['*'], plan: ['gold'] },
  },
}

const ours = (lines: readonly HeaderLine[]): readonly string[] =>
  lines
    .filter(([name]) => /^(impersonate-|x-remote-|authorization)/.test(name))
    .map(([name, value]) => `${name}: ${Buffer.from(value, 'latin1').toString()}`)
    .toSorted()

const IDENTITY = [
  'x-remote-extra-example.org%2fteam: blue',
  'x-remote-extra-example.org%2fteam: red',
  'x-remote-extra-plan: gold',
  'x-remote-group: dev',
  'x-remote-group: ops',
  'x-remote-group: with, comma',
  'x-remote-uid: 1001',
  'x-remote-user: alice',
]

describe('impersonation at a Kubernetes API, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    const authorize = [DEPUTY, { allow: 'everybody' }]
    site = await startSite({ route: { kind: 'kubernetes', authorize } })
  })
  after(() => site[Symbol.asyncDispose]())

  const requested: readonly HeaderLine[] = [
    ['Impersonate-User', 'bob'],
    ['Impersonate-Uid', '7'],
    ['Impersonate-Group', 'dev'],
    ['Impersonate-Group', 'with, comma'],
    ['Impersonate-Extra-Acme.com%2fteam', 'red'],
    ['Impersonate-Extra-Acme.com%2fteam', 'blue'],
    ['Impersonate-Extra-Plan', 'gold'],
  ]
  const WANTED = [
    'impersonate-extra-acme.com%2fteam: blue',
    'impersonate-extra-acme.com%2fteam: red',
    'impersonate-extra-plan: gold',
    'impersonate-group: dev',
    'impersonate-group: with, comma',
    'impersonate-uid: 7',
    'impersonate-user: bob',
    ...IDENTITY,
  ]

  for (const [version, send] of Object.entries({ http1, http2 })) {
    it(`1. is forwarded with the caller’s own identity, unchanged (${version})`, async () => {
      const answer = await send(site.target, {
        host: HOST,
        path: PODS,
        headers: [ALICE, ...requested],
      })
      assert.equal(answer.status, 200, answer.body)
      assert.deepEqual(ours(receivedBy(answer)), WANTED)
    })
  }

  it('1. is forwarded on an upgrade too', async () => {
    site.upstream.clear()
    const lines = [
      ['Host', HOST],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'SPDY/3.1'],
    ] as const
    const line = `GET ${PODS}/a/exec HTTP/1.1`
    using upgraded = await upgradeRaw(site.target, {
      line,
      headers: [...lines, ALICE, ...requested],
    })
    assert.equal(upgraded.answer.status, 101)
    const [received] = site.upstream.requests
    assert.deepEqual(ours(pairsOf(received?.rawHeaders ?? [])), WANTED)
  })

  it('1. may be of a user alone, and of a name that is not ASCII', async () => {
    const user = Buffer.from('jürgen').toString('latin1')
    const headers: readonly HeaderLine[] = [ALICE, ['Impersonate-User', user]]
    const answer = await http1(site.target, { host: HOST, path: PODS, headers })
    assert.equal(answer.status, 200, answer.body)
    assert.deepEqual(ours(receivedBy(answer)), ['impersonate-user: jürgen', ...IDENTITY])
  })

  it('1. is not added to a request without impersonation headers', async () => {
    const answer = await http1(site.target, { host: HOST, path: PODS, headers: [BOB] })
    assert.deepEqual(ours(receivedBy(answer)), ['x-remote-user: bob'])
  })

  const REFUSED: readonly {
    name: string
    who: HeaderLine
    lines: readonly HeaderLine[]
    want: string
  }[] = [
    {
      name: 'a caller without permission',
      who: BOB,
      lines: [['Impersonate-User', 'bob']],
      want: '403 impersonation',
    },
    {
      name: 'a user that no rule lists',
      who: ALICE,
      lines: [['Impersonate-User', 'root']],
      want: '403 impersonation',
    },
    {
      name: 'a group that no rule lists',
      who: ALICE,
      lines: [...requested, ['Impersonate-Group', 'system:masters']],
      want: '403 impersonation',
    },
    {
      name: 'an extra key that no rule lists',
      who: ALICE,
      lines: [...requested, ['Impersonate-Extra-Scopes', 'all']],
      want: '403 impersonation',
    },
    {
      name: 'groups without a user',
      who: ALICE,
      lines: [['Impersonate-Group', 'dev']],
      want: '400 impersonation-malformed',
    },
    {
      name: 'two Impersonate-User headers',
      who: ALICE,
      lines: [
        ['Impersonate-User', 'bob'],
        ['impersonate-user', 'bob'],
      ],
      want: '400 impersonation-malformed',
    },
  ]
  for (const { name, who, lines, want } of REFUSED) {
    it(`2. is refused with a Status: ${name}`, async () => {
      site.upstream.clear()
      const answer = await http1(site.target, { host: HOST, path: PODS, headers: [who, ...lines] })
      assert.equal(await verdictOf(site, answer), want)
      assert.deepEqual(valuesOf(answer, 'content-type'), ['application/json'])
      const { kind, code } = JSON.parse(answer.body)
      assert.deepEqual([kind, code], ['Status', answer.status])
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  it('2. is refused with the identities that no rule allows', async () => {
    const headers: readonly HeaderLine[] = [ALICE, ['Impersonate-User', 'root']]
    const answer = await http1(site.target, { host: HOST, path: PODS, headers })
    assert.match(
      JSON.parse(answer.body).message,
      /^pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default": no rule allows it as "root" \(decision [0-9a-f-]{36}\)$/,
    )
  })
})

describe(
  'impersonation at a service that is not a Kubernetes API',
  { skip: skipWithoutEnvoy() },
  () => {
    let site: Site
    before(async () => (site = await startSite({ route: { authorize: [{ allow: 'all' }] } })))
    after(() => site[Symbol.asyncDispose]())

    it('3. is refused, whichever caller sends it', async () => {
      const headers: readonly HeaderLine[] = [ALICE, ['Impersonate-User', 'bob']]
      const answer = await http1(site.target, { host: HOST, path: PODS, headers })
      assert.equal(await verdictOf(site, answer), '403 impersonation')
      assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain; charset=utf-8'])
      assert.equal(site.upstream.requests.length, 0)
    })
  },
)

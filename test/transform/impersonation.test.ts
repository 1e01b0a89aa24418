// An impersonation that a rule allowed → the headers that the API server reads, and nothing of what
// the caller wrote.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate, type Permit } from '../../src/authorize/evaluate.ts'
import { Headers } from '../../src/request/headers.ts'
import {
  readImpersonation,
  type Impersonation,
} from '../../src/request/kubernetes/impersonation.ts'
import { transform, type Credentials } from '../../src/transform/apply.ts'
import {
  kubernetesHeaders,
  impersonationHeaders,
} from '../../src/transform/headers/kubernetes-headers.ts'
import { isStripped } from '../../src/request/stripped-headers.ts'
import { linesOf, type HeaderLines } from '../fakes/envoy.ts'
import { questionOf } from '../fakes/question.ts'
import { policyOf } from '../fakes/rules.ts'
import { outgoing } from '../fakes/outgoing.ts'

const FOREVER = new AbortController().signal

const permitFor = (headers: HeaderLines): Permit => {
  const extra = { a: ['*'], 'acme.com/team': ['*'], a_b: ['*'], ü: ['*'] }
  const impersonate = { users: ['*'], groups: ['*'], uids: ['*'], extra }
  const rules = [{ allow: 'deputies', impersonate }, { allow: 'all' }]
  const published = { kind: 'kubernetes' } as const
  const question = questionOf({ request: { path: '/api/v1/pods', headers }, published })
  const verdict = evaluate(policyOf(rules, published), question)
  assert.equal(verdict.outcome, 'permit')
  return verdict.permit
}

const credentialsFor = async (headers: HeaderLines): Promise<Credentials> => {
  const result = await transform(permitFor(headers), outgoing([kubernetesHeaders()]), FOREVER)
  assert.equal(result.outcome, 'transformed')
  return result.credentials
}

/** The header lines that reach the upstream, as Envoy and its Lua filter make them. */
const forwardedFrom = async (sent: HeaderLines): Promise<readonly string[]> => {
  const { removeHeaders, setHeaders, repeatedHeaders } = await credentialsFor(sent)
  const replaced = new Set(setHeaders.map(([name]) => name))
  const repeated = new Set(repeatedHeaders.map(({ name }) => name))
  const removed = new Set(removeHeaders.map((name) => name.toLowerCase()))
  const kept = [...sent.filter(([name]) => !replaced.has(name)), ...setHeaders].filter(
    ([name]) => !removed.has(name) && !repeated.has(name),
  )
  const added = repeatedHeaders.flatMap(({ name, values }) => values.map((value) => [name, value]))
  return [...kept, ...added].map(([name, value]) => `${name}: ${String(value)}`).toSorted()
}

const IDENTITY = 'x-remote-user: alice'

describe('an impersonation that is allowed', () => {
  const CASES: readonly { name: string; sent: HeaderLines; want: readonly string[] }[] = [
    { name: 'of a user', sent: [['impersonate-user', 'bob']], want: ['impersonate-user: bob'] },
    {
      name: 'with all that there is, a line for each value',
      sent: [
        ['impersonate-user', 'bob'],
        ['impersonate-uid', '7'],
        ['impersonate-group', 'dev'],
        ['impersonate-group', 'a,b'],
        ['impersonate-extra-a', 'x'],
        ['impersonate-extra-acme.com%2fteam', 'red'],
        ['impersonate-extra-acme.com%2fteam', 'blue'],
      ],
      want: [
        'impersonate-extra-a: x',
        'impersonate-extra-acme.com%2fteam: blue',
        'impersonate-extra-acme.com%2fteam: red',
        'impersonate-group: a,b',
        'impersonate-group: dev',
        'impersonate-uid: 7',
        'impersonate-user: bob',
      ],
    },
    {
      name: 'with one group',
      sent: [
        ['impersonate-user', 'bob'],
        ['impersonate-group', 'dev'],
      ],
      want: ['impersonate-group: dev', 'impersonate-user: bob'],
    },
    {
      name: 'with the same group twice',
      sent: [
        ['impersonate-user', 'bob'],
        ['impersonate-group', 'dev'],
        ['impersonate-group', 'dev'],
      ],
      want: ['impersonate-group: dev', 'impersonate-group: dev', 'impersonate-user: bob'],
    },
    {
      name: 'with a key of which every letter is encoded',
      sent: [
        ['impersonate-user', 'bob'],
        ['impersonate-extra-%61', 'x'],
      ],
      want: ['impersonate-extra-a: x', 'impersonate-user: bob'],
    },
    {
      name: 'with a key with an underscore, and one that is not ASCII',
      sent: [
        ['impersonate-user', 'jürgen'],
        ['impersonate-extra-a_b', 'x'],
        ['impersonate-extra-%c3%bc', 'y'],
      ],
      want: [
        'impersonate-extra-a%5fb: x',
        'impersonate-extra-%c3%bc: y',
        'impersonate-user: jürgen',
      ],
    },
  ]
  for (const { name, sent, want } of CASES) {
    it(`${name} is forwarded so, with the caller’s own identity`, async () => {
      const others: HeaderLines = [
        ['accept', '*/*'],
        ['authorization', 'Basic YTpi'],
        ['x-remote-user', 'admin'],
      ]
      const got = await forwardedFrom([...others, ...sent])
      assert.deepEqual(got, ['accept: */*', ...want, IDENTITY].toSorted())
    })

    it(`${name} is read by the API server as it was by us`, async () => {
      const { setHeaders, repeatedHeaders } = await credentialsFor(sent)
      const lines: HeaderLines = [
        ...setHeaders,
        ...repeatedHeaders.flatMap(({ name: header, values }) =>
          values.map((value) => [header, value] as const),
        ),
      ].filter(([header]) => header.startsWith('impersonate-'))
      const reread = readImpersonation(new Headers(linesOf(lines)))
      assert.deepEqual(reread, readImpersonation(new Headers(linesOf(sent))))
      for (const [header] of lines) {
        assert.ok(isStripped(header), header)
        assert.match(header, /^[!#$%&'*+.^`|~\-0-9a-z]+$/) // no underscore: Envoy may refuse it
      }
    })
  }

  it('keeps the case of a key that was encoded: the API server folds the name alone', () => {
    const extra = new Map([['Team', ['x']]])
    const transformation = impersonationHeaders({ user: 'bob', groups: [], extra })
    assert.equal(transformation.outcome, 'transformed')
    const { setHeaders } = transformation.forwarding
    assert.deepEqual(setHeaders[1], ['impersonate-extra-%54eam', 'x'])
    const reread = readImpersonation(new Headers(linesOf(setHeaders)))
    assert.deepEqual(reread.outcome === 'read' && reread.impersonation.extra, extra)
  })

  it('is left out where the client did not request it', async () => {
    assert.deepEqual(await forwardedFrom([['accept', '*/*']]), ['accept: */*', IDENTITY])
  })

  it('is never removed by what sets it, since Envoy removes last', async () => {
    const sent: HeaderLines = [
      ['Impersonate-User', 'bob'],
      ['IMPERSONATE-GROUP', 'dev'],
    ].map(([name = '', value = '']) => [name.toLowerCase(), value])
    const { setHeaders, removeHeaders } = await credentialsFor(sent)
    const removed = new Set(removeHeaders.map((name) => name.toLowerCase()))
    for (const [name] of setHeaders) assert.ok(!removed.has(name), name)
  })
})

describe('an impersonation that cannot be forwarded', () => {
  const bob: Impersonation = { user: 'bob', groups: [], extra: new Map() }
  const codeOf = (parts: Partial<Impersonation>): string => {
    const transformation = impersonationHeaders({ ...bob, ...parts })
    return transformation.outcome === 'failed' ? transformation.code : transformation.outcome
  }

  for (const value of ['', ' a', 'a ', 'a\tb', 'a\0', 'a\r\nx: y', 'a\u0085', 'a\ud800']) {
    it(`because of ${JSON.stringify(value)}`, () => {
      assert.equal(codeOf({ user: value }), 'header-unrepresentable')
      assert.equal(codeOf({ uid: value }), 'header-unrepresentable')
      assert.equal(codeOf({ groups: ['dev', value] }), 'header-unrepresentable')
      assert.equal(codeOf({ extra: new Map([['a', [value]]]) }), 'header-unrepresentable')
    })
  }

  it('because it is too large', () => {
    const groups = Array.from({ length: 2_000 }, (_, index) => `group-${index}`)
    assert.equal(codeOf({ groups }), 'headers-too-large')
    assert.equal(codeOf({ extra: new Map([['ü'.repeat(6_000), ['a']]]) }), 'headers-too-large')
    assert.equal(codeOf({ groups: groups.slice(0, 1_000) }), 'transformed')
  })

  it('because no identity would be set with it, so that Envoy’s own would count', () => {
    const permit = permitFor([['impersonate-user', 'bob']])
    assert.throws(
      () => transform(permit, outgoing([]), FOREVER),
      /without a credential for the upstream/,
    )
  })

  it('leaves nothing of the identity', async () => {
    const groups = Array.from(
      { length: 1_000 },
      (_, index) => ['impersonate-group', `group-${index}`.padEnd(60, 'x')] as const,
    )
    const permit = permitFor([['impersonate-user', 'bob'], ...groups])
    const result = await transform(permit, outgoing([kubernetesHeaders()]), FOREVER)
    assert.deepEqual(result, { outcome: 'failed', code: 'headers-too-large' })
  })
})

// Explanations as text.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explain } from '../../../src/tools/explain/explain.ts'
import { asText } from '../../../src/cli/explain/text.ts'
import { attributesOf, type RequestParts } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import type { RouteParts } from '../../fakes/route.ts'
import { snapshotOf } from '../../fakes/snapshot.ts'

const textOf = async (
  route: RouteParts,
  request: RequestParts = {},
  { all = false, user = 'alice', first }: { all?: boolean; user?: string; first?: RouteParts } = {},
): Promise<string> => {
  const given = { identity: identityOf({ user, groups: ['dev'] }) }
  const { signal } = new AbortController()
  const snapshot = snapshotOf(first === undefined ? [route] : [first, route])
  return asText(await explain(attributesOf(request), snapshot, given, signal), { all })
}

/** The lines of one block, without its neighbours. */
const block = (text: string, phase: string): readonly string[] =>
  text
    .split('\n\n')
    .find((lines) => lines.startsWith(phase))
    ?.trimEnd()
    .split('\n') ?? []

const missing = (count: number): { allow: string; users: string[] }[] =>
  Array.from({ length: count }, (_, index) => ({ allow: `m${index}`, users: ['bob'] }))

describe('an explanation in text', () => {
  it('names the earlier route that a path could match', async () => {
    const first = { name: 'admin', match: { paths: ['/admin/**'] } }
    const text = await textOf({ name: 'rest' }, { path: '/ADMIN/x' }, { first })
    assert.deepEqual(block(text, 'route'), [
      'route         miss  rest',
      '  miss        admin  path: wanted "/admin/**", got "/ADMIN/x"',
      '  hit         rest',
      '  ambiguous   it could be a path of admin: refused',
    ])
  })

  it('has a block for each phase', async () => {
    const rules = [{ deny: 'a', methods: ['PUT'] }, { allow: 's', shadow: true }, { allow: 'b' }]
    const text = await textOf({ rules: [...rules, { deny: 'c' }] }, { path: '/x?q=1' })
    assert.equal(
      text,
      `request       hit
  method      GET
  host        app.example.org
  path        /x
  query       q=1
  source      203.0.113.7

route         hit  app
  hit         app

authenticate  hit  given, not verified

identity      hit
  user        alice
  groups      dev
  proven by   staff (basic)

authorize     hit  rule "b"
  miss        deny a  methods: wanted "PUT", got "GET"
  shadow      allow s  would allow
  hit         allow b
  not reached deny c

transform     hit
  set         x-remote-user: alice
  set         x-remote-group: dev

answer        allowed  permitted by "b"
`,
    )
  })

  it('summarizes long runs of rules that do not match', async () => {
    const rules = [...missing(7), { allow: 'p', paths: ['/p'] }, { allow: 'b' }, ...missing(3)]
    const [, ...lines] = block(await textOf({ rules }), 'authorize')
    assert.deepEqual(lines, [
      '  miss        8 rules, by users (7), paths (1); --all lists each',
      '  hit         allow b',
      '  not reached 3 rules',
    ])
  })

  it('has every matcher of every rule with --all', async () => {
    const rules = [...missing(6), { allow: 'b', when: 'request.method == "GET"' }]
    const lines = block(await textOf({ rules }, {}, { all: true }), 'authorize')
    assert.equal(
      lines.filter((line) => line.includes('users: wanted "bob", got "alice"')).length,
      12,
    )
    assert.equal(lines.at(-1), '    hit         when: wanted "request.method == \\"GET\\""')
  })

  it('has the Kubernetes request', async () => {
    const path = '/api/v1/namespaces/dev/pods/x/exec'
    const text = await textOf({ kind: 'kubernetes' }, { path, method: 'POST' })
    assert.deepEqual(block(text, 'requested'), [
      'requested     hit',
      '  verb        create',
      '  apiVersion  v1',
      '  namespace   dev',
      '  resource    pods',
      '  subresource exec',
      '  name        x',
    ])
  })

  it('has the answer to the caller of a refused request', async () => {
    const rules = [{ deny: 'no', response: { status: 451, body: 'law\nlaw', headers: { a: 'b' } } }]
    const lines = block(await textOf({ rules }), 'answer')
    assert.equal(lines[0], 'answer        refused  451  rule-denied by "no"')
    assert.deepEqual(lines.slice(-2), ['  body        law', '  body        law'])
  })

  it('has cause and remedy of the reason of a refused request', async () => {
    const [, cause = '', remedy = ''] = block(await textOf({ rules: missing(1) }), 'answer')
    assert.match(cause, /^ {2}cause {7}No rule matches/)
    assert.match(remedy, /^ {2}remedy {6}Add an `allow` rule/)
  })

  it('has no cause and no remedy for a request that is allowed', async () => {
    assert.deepEqual(
      block(await textOf({}), 'answer').filter((line) => /cause|remedy/.test(line)),
      [],
    )
  })
})

describe('an explanation in text, hostile,', () => {
  it('has no control characters', async () => {
    const escape = '\u001b]0;owned\u0007\u202e'
    const text = await textOf({ rules: [{ deny: 'a', users: [escape] }] }, {}, { user: escape })
    // oxlint-disable-next-line no-control-regex -- those are meant
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    assert.match(text, /user {8}\?\]0;owned\?\?/)
  })

  it('has one line for each value, whatever line ends it contains', async () => {
    const text = await textOf({}, {}, { user: 'a\nanswer        allowed' })
    assert.equal(text.split('\n').filter((line) => line.startsWith('answer')).length, 1)
  })
})

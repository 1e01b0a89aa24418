// The expectations of a policy test, compared with the outcome.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Transformer } from '../../../src/transform/transformer.ts'
import { operation as operationFor } from '../../request/openapi/operation.ts'
import { app, ROUTES, runTest as run, runTests } from './policy-testing.ts'

describe('a test that wants something else', { concurrency: true }, () => {
  const alice = 'identity: { user: alice, groups: [team-a] }'
  const CASES: readonly {
    readonly name: string
    readonly test: string
    readonly want: readonly (readonly [what: string, wanted: unknown, got: unknown])[]
  }[] = [
    {
      name: 'the other decision',
      test: `${app()}, ${alice}, want: { decision: deny }`,
      want: [['decision', 'deny', 'allow']],
    },
    {
      name: 'the same decision by another rule',
      test: `${app()}, ${alice}, want: { decision: allow, rule: near }`,
      want: [['rule', 'near', 'team-reads']],
    },
    {
      name: 'a rule where none decides',
      test: `${app()}, identity: { user: a }, want: { decision: deny, rule: team-rest }`,
      want: [['rule', 'team-rest', undefined]],
    },
    {
      name: 'another reason and status',
      test: `${app()}, want: { decision: deny, reason: no-rule, status: 403 }`,
      want: [
        ['reason', 'no-rule', 'credential-missing'],
        ['status', 403, 401],
      ],
    },
    {
      name: 'fewer rules in shadow than there are',
      test: `request: { host: app.example, method: DELETE }, identity: { user: a }, want: { decision: deny, shadow: { watched: deny } }`,
      want: [['shadow', { watched: 'deny' }, { 'plan-b': 'deny', watched: 'deny' }]],
    },
    {
      name: 'rules in shadow where there are none',
      test: `request: { host: open.example }, want: { decision: allow, shadow: { visitors: allow } }`,
      want: [['shadow', { visitors: 'allow' }, {}]],
    },
    {
      name: 'another header, in another order, and none',
      test: `${app()}, identity: { user: a, groups: [team-a, b] }, want: { decision: allow, headers:
             { x-remote-user: b, x-remote-group: [b, team-a], x-remote-uid: [], constructor: x } }`,
      want: [
        ['headers.x-remote-user', ['b'], ['a']],
        ['headers.x-remote-group', ['b', 'team-a'], ['team-a', 'b']],
        ['headers.constructor', ['x'], []],
      ],
    },
    {
      name: 'an operation where there is no document',
      test: `${app()}, ${alice}, want: { decision: allow, operation: getUser }`,
      want: [['operation', 'getUser', undefined]],
    },
  ]
  for (const { name, test, want } of CASES) {
    it(`fails: ${name}`, async () => {
      const { differences } = await run(test)
      assert.deepEqual(
        differences.map(({ what, wanted, got }) => [what, wanted, got]),
        want,
      )
    })
  }
})

describe('an operation of the document', () => {
  it('is compared by its name', async () => {
    const index = new OperationIndex([operationFor('GET /users/{id}', { id: 'getUser' })], '')
    const test = (operation: string): string =>
      `  - { name: t, ${app('/users/7')}, identity: { user: a, groups: [team-a] }, want: { decision: allow, operation: ${operation} } }`
    const { results } = await runTests(
      ROUTES,
      `${test('getUser')}\n${test('putUser')}`,
      (state) => ({
        ...state,
        routes: {
          find(request) {
            const route = state.routes.find(request)
            return route && { ...route, operations: index }
          },
        },
      }),
    )
    assert.deepEqual(
      results.map(({ differences }) => differences),
      [[], [{ what: 'operation', wanted: 'putUser', got: 'getUser' }]],
    )
  })
})

const broken: Transformer = {
  kind: 'headers',
  transform() {
    throw new Error('a bug')
  },
}

describe('a bug in the path of a check', () => {
  it('is a refusal, as the service answers it, with its message for the reader of the results', async () => {
    const { results } = await runTests(
      ROUTES,
      `  - { name: t, ${app()}, identity: { user: a, groups: [team-a] }, want: { decision: allow } }`,
      (state) => ({
        ...state,
        routes: {
          find(request) {
            const route = state.routes.find(request)
            return route && { ...route, transformers: [broken] }
          },
        },
      }),
    )
    const [{ got } = assert.fail('no result')] = results
    assert.equal(got.outcome === 'decided' && got.reason, 'internal-error')
    assert.match((got.outcome === 'decided' && got.detail) || '', /^a bug$/)
  })
})

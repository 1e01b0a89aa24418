// Which operation of an OpenAPI document it is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RuleConfig } from '../../../src/authorize/schema.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'
import { decide } from '../../fakes/decide.ts'
import { policyOf } from '../../fakes/rules.ts'

const operation = (
  id: string,
  method: string,
  template: string,
  tags: readonly string[] = [],
): Operation => ({
  id,
  method,
  template,
  tags,
  deprecated: false,
  scopes: [[]],
})

const OPERATIONS = [
  operation('listUsers', 'GET', '/users', ['users']),
  operation('getUser', 'GET', '/users/{id}', ['users', 'public']),
  operation('deleteUser', 'DELETE', '/users/{id}', ['users', 'admin']),
  operation('GET /health', 'GET', '/health'),
]
const published = { kind: 'http', operations: new OperationIndex(OPERATIONS, '') } as const

const CASES: readonly {
  readonly rule: Partial<RuleConfig>
  readonly yes: readonly string[]
  readonly no: readonly string[]
}[] = [
  {
    rule: { operations: ['getUser'] },
    yes: ['GET /users/7'],
    no: ['GET /users', 'DELETE /users/7', 'GET /x'],
  },
  { rule: { operations: ['*User'] }, yes: ['GET /users/7', 'DELETE /users/7'], no: ['GET /users'] },
  {
    rule: { operations: ['*'] },
    yes: ['GET /users', 'GET /health'],
    no: ['GET /undocumented', 'PUT /users'],
  },
  { rule: { operations: ['GET /health'] }, yes: ['GET /health'], no: ['GET /users'] },
  {
    rule: { tags: ['admin', 'pub*'] },
    yes: ['GET /users/7', 'DELETE /users/7'],
    no: ['GET /users', 'GET /health'],
  },
  {
    rule: { templates: ['/users/{id}'] },
    yes: ['GET /users/7', 'DELETE /users/7'],
    no: ['GET /users'],
  },
  { rule: { templates: ['/users*'] }, yes: ['GET /users/7', 'GET /users'], no: ['GET /health'] },
  {
    rule: { tags: ['users'], templates: ['/users/{id}'], operations: ['get*', 'listUsers'] },
    yes: ['GET /users/7'],
    no: ['GET /users', 'DELETE /users/7'],
  },
]

describe('matchers of the operation', () => {
  for (const { rule, yes, no } of CASES) {
    it(`matches operations by ${JSON.stringify(rule)}`, () => {
      for (const [lines, want] of [
        [yes, 'allow:match'],
        [no, 'no-rule'],
      ] as const) {
        for (const line of lines) {
          const [method = '', path = ''] = line.split(' ')
          const parts = { request: { method, path }, published }
          assert.equal(
            decide([{ allow: 'match', ...rule }], parts, { operations: OPERATIONS }),
            want,
            line,
          )
        }
      }
    })
  }

  it('report each pattern that matches no operation, with its path', () => {
    const problems: string[] = []
    policyOf(
      [
        {
          allow: 'a',
          operations: ['getUser', 'gone', 'gone*'],
          tags: ['users', 'gone'],
          templates: ['/users/{name}'],
        },
      ],
      {
        operations: OPERATIONS,
        report: (path, message) => problems.push(`${path.join('.')}: ${message}`),
      },
    )
    assert.deepEqual(
      problems.map((problem) => problem.replace(/ is not an operation.*/, '')),
      [
        '0.operations: "gone"',
        '0.operations: "gone*"',
        '0.tags: "gone"',
        '0.templates: "/users/{name}"',
      ],
    )
  })
})

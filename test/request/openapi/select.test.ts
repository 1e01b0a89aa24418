// Which operations a rule means.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { selectOperations, type OperationSelector } from '../../../src/request/openapi/select.ts'
import { operation } from './operation.ts'

const ALL = [
  operation('GET /users', { id: 'listUsers', tags: ['users'] }),
  operation('GET /users/{id}', { id: 'getUser', tags: ['users', 'public'] }),
  operation('DELETE /users/{id}', { id: 'deleteUser', tags: ['users', 'admin'] }),
  operation('GET /health'),
]

const CASES: readonly { name: string; selector: OperationSelector; want: readonly number[] }[] = [
  { name: 'an empty selector takes all', selector: {}, want: [0, 1, 2, 3] },
  { name: 'an id', selector: { operations: ['getUser'] }, want: [1] },
  { name: 'letter case of an id counts', selector: { operations: ['getuser'] }, want: [] },
  { name: 'ids by pattern', selector: { operations: ['get*', '*Users'] }, want: [0, 1] },
  { name: 'an operation without an id', selector: { operations: ['GET /health'] }, want: [3] },
  { name: 'one tag of several', selector: { tags: ['pub*'] }, want: [1] },
  {
    name: 'operations without tags are taken by no tag',
    selector: { tags: ['*'] },
    want: [0, 1, 2],
  },
  { name: 'a template', selector: { templates: ['/users/{id}'] }, want: [1, 2] },
  { name: 'templates by pattern', selector: { templates: ['/users*'] }, want: [0, 1, 2] },
  { name: 'methods', selector: { methods: ['DELETE'] }, want: [2] },
  {
    name: 'all lists have to',
    selector: { tags: ['users'], templates: ['/users/*'], methods: ['GET'] },
    want: [1],
  },
  {
    name: 'lists that share nothing',
    selector: { operations: ['getUser'], methods: ['DELETE'] },
    want: [],
  },
]

describe('selectOperations', () => {
  for (const { name, selector, want } of CASES) {
    it(`selects operations by ${name}`, () => {
      assert.deepEqual(
        selectOperations(selector, ALL),
        want.map((index) => ALL[index]),
      )
    })
  }
})

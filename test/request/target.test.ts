// What a route publishes → what a request asks of it; and what has two readings, or no business there.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OperationIndex } from '../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../src/request/openapi/operation.ts'
import { readTarget, type Published, type TargetReading } from '../../src/request/target.ts'
import { requestOf, type RequestParts } from '../fakes/envoy.ts'

const operation: Operation = {
  id: 'getUser',
  method: 'GET',
  template: '/users/{id}',
  tags: [],
  deprecated: false,
  scopes: [[]],
}
const operations = new OperationIndex([operation], '')

const read = (published: Published, request: RequestParts): TargetReading =>
  readTarget(published, requestOf(request))

const codeOf = (published: Published, request: RequestParts): string => {
  const reading = read(published, request)
  return reading.outcome === 'read' ? 'read' : reading.code
}

const PODS = '/api/v1/namespaces/a/pods'

describe('the target', () => {
  it('of plain HTTP is nothing more', () => {
    const reading = read({ kind: 'http' }, { path: PODS })
    assert.deepEqual(reading, { outcome: 'read', target: {} })
  })

  it('of a Kubernetes API is what the server reads', () => {
    const reading = read({ kind: 'kubernetes' }, { path: PODS })
    assert.equal(reading.outcome, 'read')
    const { verb, resource, namespace, impersonation } = reading.target.kubernetes ?? {}
    assert.deepEqual(
      { verb, resource, namespace },
      { verb: 'list', resource: 'pods', namespace: 'a' },
    )
    assert.equal(impersonation, undefined)
    assert.equal(reading.target.operation, undefined)
  })

  it('of an API with a document is its operation, or none', () => {
    const matched = read({ kind: 'http', operations }, { path: '/users/7' })
    assert.equal(matched.outcome, 'read')
    assert.equal(matched.target.operation?.operation, operation)
    const undefinedThere = read({ kind: 'http', operations }, { path: '/x' })
    assert.equal(undefinedThere.outcome, 'read')
    assert.equal(undefinedThere.target.operation, undefined)
  })

  it('may be both', () => {
    const pods = { ...operation, id: 'pods', template: '/api/v1/namespaces/{namespace}/pods' }
    const both = { kind: 'kubernetes', operations: new OperationIndex([pods], '') } as const
    const reading = read(both, { path: PODS })
    assert.equal(reading.outcome, 'read')
    assert.equal(reading.target.kubernetes?.resource, 'pods')
    assert.equal(reading.target.operation?.operation.id, 'pods')
  })

  const REFUSED: readonly { name: string; published: Published; path: string; want: string }[] = [
    {
      name: 'what looks like a resource to some servers',
      published: { kind: 'kubernetes' },
      path: '/API/v1/pods',
      want: 'ambiguous-path',
    },
    {
      name: 'a list of two readings',
      published: { kind: 'kubernetes' },
      path: `${PODS}?watch=0&watch=1`,
      want: 'ambiguous-query',
    },
    {
      name: 'a path that only a careless reader takes for an operation',
      published: { kind: 'http', operations },
      path: '/Users/7',
      want: 'ambiguous-path',
    },
  ]
  for (const { name, published, path, want } of REFUSED) {
    it(`is refused for ${name}`, () => assert.equal(codeOf(published, { path }), want))
  }
})

describe('impersonation headers', () => {
  const NAMES = [
    'impersonate-user',
    'Impersonate-User',
    'impersonate-group',
    'impersonate-uid',
    'impersonate-extra-scopes',
    'impersonate-extra-%2f',
    'impersonate_user',
    'IMPERSONATE_EXTRA_x',
    'impersonate-',
  ]
  for (const name of NAMES) {
    it(`are refused on a route that is not a Kubernetes API: ${name}`, () => {
      const request: RequestParts = { headers: [[name, 'admin']], path: '/users/7' }
      assert.equal(codeOf({ kind: 'http' }, request), 'impersonation')
      assert.equal(codeOf({ kind: 'http', operations }, request), 'impersonation')
    })
  }

  it('are read on one that is', () => {
    const reading = read(
      { kind: 'kubernetes' },
      {
        path: PODS,
        headers: [
          ['impersonate-user', 'bob'],
          ['impersonate-group', 'dev'],
        ],
      },
    )
    assert.equal(reading.outcome, 'read')
    assert.deepEqual(reading.target.kubernetes?.impersonation, {
      user: 'bob',
      groups: ['dev'],
      extra: new Map(),
    })
  })

  it('are refused there without a user, or with a header that only looks like one', () => {
    for (const name of [
      'impersonate-group',
      'impersonate_user',
      'impersonate-',
      'Impersonate_Uid',
    ]) {
      const request: RequestParts = { path: PODS, headers: [[name, 'admin']] }
      assert.equal(codeOf({ kind: 'kubernetes' }, request), 'impersonation-malformed', name)
    }
  })
})

// The input of the rules for a recorded request, and what cannot be reconstructed.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recordedQuestion } from '../../../src/tools/replay/recorded-question.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'
import { askedIn, decisionLine, type EventFields } from '../../fakes/audit-lines.ts'

const KUBERNETES = { verb: 'list', apiVersion: 'v1', resource: 'pods' }
const HTTP = { kind: 'http', operations: undefined } as const
const API = { kind: 'kubernetes', operations: undefined } as const

const operation = (id: string, method: string, template: string): Operation => ({
  id,
  method,
  template,
  tags: [],
  deprecated: false,
  scopes: [[]],
})

describe('recordedQuestion', () => {
  it('tells of the request what the log does', () => {
    const line = decisionLine({ method: 'PUT', path: '/a%20b/c?x=[withheld]&y', source: '::1' })
    const asking = recordedQuestion(askedIn(line), HTTP)
    assert.equal(asking.outcome, 'asked')
    const { question } = asking
    assert.equal(question.recorded, true)
    assert.equal(question.at, Date.UTC(2026, 0, 1, 12))
    assert.equal(question.kubernetes, undefined)
    const { method, host, path, rawPath, source, headers, impersonates } = question.request
    assert.deepEqual(
      { method, host, path, rawPath, source, impersonates },
      {
        method: 'PUT',
        host: 'app.example.org',
        path: '/a b/c',
        rawPath: '/a%20b/c',
        source: { address: '::1', port: 0 },
        impersonates: false,
      },
    )
    assert.deepEqual(headers.lines, [])
  })

  it('finds the operation again', () => {
    const operations = new OperationIndex([operation('getUser', 'GET', '/users/{id}')], '')
    const asking = recordedQuestion(askedIn(decisionLine({ path: '/users/7' })), {
      kind: 'http',
      operations,
    })
    assert.equal(asking.outcome, 'asked')
    assert.equal(asking.question.operation?.operation.id, 'getUser')
    assert.deepEqual({ ...asking.question.operation.parameters }, { id: '7' })
  })

  const RECORDED: readonly { name: string; input: EventFields; want: unknown }[] = [
    {
      name: 'a watch, whose query is not in the log',
      input: {
        path: '/api/v1/namespaces/a/pods?watch=[withheld]',
        kubernetes: { ...KUBERNETES, verb: 'watch', namespace: 'a' },
      },
      want: {
        isResource: true,
        verb: 'watch',
        apiPrefix: 'api',
        apiGroup: '',
        namespace: 'a',
        resource: 'pods',
        name: '',
        parts: ['pods'],
      },
    },
    {
      name: 'a list of one, whose name was in the query',
      input: {
        path: '/apis/apps/v1/deployments',
        queryOmitted: true,
        kubernetes: {
          verb: 'list',
          apiGroup: 'apps',
          apiVersion: 'v1',
          resource: 'deployments',
          name: 'x',
        },
      },
      want: {
        isResource: true,
        verb: 'list',
        apiPrefix: 'apis',
        apiGroup: 'apps',
        namespace: '',
        resource: 'deployments',
        name: 'x',
        parts: ['deployments'],
      },
    },
    {
      name: 'a path without a resource',
      input: { path: '/healthz', kubernetes: { verb: 'get' } },
      want: {
        isResource: false,
        verb: 'get',
        apiPrefix: '',
        apiGroup: '',
        namespace: '',
        resource: '',
        name: '',
        parts: [],
      },
    },
    {
      name: 'what it was not read as then',
      input: { path: '/api/v1/namespaces/a/pods/x/log?tailLines=[withheld]' },
      want: {
        isResource: true,
        verb: 'get',
        apiPrefix: 'api',
        apiGroup: '',
        namespace: 'a',
        resource: 'pods',
        name: 'x',
        parts: ['pods', 'x', 'log'],
      },
    },
    {
      name: 'a list by a query that is there',
      input: { path: '/api/v1/pods?limit=[withheld]&resourceVersion=[withheld]' },
      want: {
        isResource: true,
        verb: 'list',
        apiPrefix: 'api',
        apiGroup: '',
        namespace: '',
        resource: 'pods',
        name: '',
        parts: ['pods'],
      },
    },
    {
      name: 'a watch by a query that is there',
      input: { path: '/api/v1/pods?watch=1' },
      want: {
        isResource: true,
        verb: 'watch',
        apiPrefix: 'api',
        apiGroup: '',
        namespace: '',
        resource: 'pods',
        name: '',
        parts: ['pods'],
      },
    },
  ]
  for (const { name, input, want } of RECORDED) {
    it(`restores the attributes of a Kubernetes request: ${name}`, () => {
      const asking = recordedQuestion(askedIn(decisionLine(input)), API)
      assert.equal(asking.outcome, 'asked')
      const { kubernetes } = asking.question
      assert.ok(kubernetes)
      const {
        isResource,
        verb,
        apiPrefix,
        apiGroup,
        namespace,
        resource,
        name: object,
        parts,
      } = kubernetes
      assert.deepEqual(
        { isResource, verb, apiPrefix, apiGroup, namespace, resource, name: object, parts },
        want,
      )
    })
  }

  it('has the identity that the caller impersonated', () => {
    const impersonation = { user: 'bob', uid: '7', groups: ['g'] }
    const line = decisionLine({ kubernetes: { ...KUBERNETES, impersonation } })
    const asking = recordedQuestion(askedIn(line), API)
    assert.equal(asking.outcome, 'asked')
    assert.deepEqual(asking.question.kubernetes?.impersonation, {
      ...impersonation,
      extra: new Map(),
    })
  })

  const list = '/api/v1/pods'
  const impersonation = { user: 'bob' }
  const NOT_ASKED: readonly {
    name: string
    input: EventFields
    route?: typeof API | typeof HTTP
    want: unknown
  }[] = [
    {
      name: 'a path that was cut',
      input: { path: `/${'a'.repeat(2_047)}` },
      route: HTTP,
      want: 'path',
    },
    { name: 'a list or a watch', input: { path: `${list}?watch=[withheld]` }, want: 'query' },
    {
      name: 'a list or a watch, encoded',
      input: { path: `${list}?w%61tch=[withheld]` },
      want: 'query',
    },
    {
      name: 'a list of all or of one',
      input: { path: `${list}?fieldSelector=[withheld]` },
      want: 'query',
    },
    {
      name: 'a list by labels',
      input: { path: `${list}?a&labelSelector=[withheld]` },
      want: 'query',
    },
    { name: 'a query that is left out', input: { path: list, queryOmitted: true }, want: 'query' },
    {
      name: 'a query that was cut',
      input: { path: `${list}?a=${'x'.repeat(2_034)}` },
      want: 'query',
    },
    {
      name: 'a deletion by a query',
      input: { method: 'DELETE', path: `${list}?fieldSelector=[withheld]` },
      want: 'query',
    },
    {
      name: 'a list of one whose name was cut',
      input: {
        path: `${list}?fieldSelector=[withheld]`,
        kubernetes: { ...KUBERNETES, name: `${'a'.repeat(2_048)}…` },
      },
      want: 'query',
    },
    {
      name: 'further keys, without their values',
      input: { kubernetes: { ...KUBERNETES, impersonation: { user: 'bob', extra: ['scopes'] } } },
      want: 'impersonation',
    },
    {
      name: 'impersonation, on a route that refuses it',
      input: { kubernetes: { ...KUBERNETES, impersonation } },
      route: HTTP,
      want: { outcome: 'refused', code: 'impersonation' },
    },
    {
      name: 'a path that an API server could read otherwise',
      input: { path: '/API/v1/pods' },
      want: { outcome: 'refused', code: 'ambiguous-path' },
    },
    {
      name: 'hostile: a path that is none',
      input: { path: 'x' },
      route: HTTP,
      want: { outcome: 'refused', code: 'malformed-path' },
    },
    {
      name: 'hostile: a path with two readings',
      input: { path: '/a/..;/b' },
      route: HTTP,
      want: { outcome: 'refused', code: 'ambiguous-path' },
    },
  ]
  for (const { name, input, route = API, want } of NOT_ASKED) {
    it(`asks nothing: ${name}`, () => {
      const asking = recordedQuestion(askedIn(decisionLine(input)), route)
      assert.deepEqual(
        asking,
        typeof want === 'string' ? { outcome: 'undetermined', what: want } : want,
      )
    })
  }

  it('takes a long path that was not cut', () => {
    const path = `/${'a'.repeat(1_000)}?${'b'.repeat(1_046)}`
    assert.equal(path.length, 2_048)
    assert.equal(recordedQuestion(askedIn(decisionLine({ path })), HTTP).outcome, 'asked')
  })
})

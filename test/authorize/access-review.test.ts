// SubjectAccessReviews: what is sent about which request, and what of an answer counts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accessReviewOf, readAccessReview } from '../../src/authorize/access-review.ts'
import { readJsonObject } from '../../src/runtime/strict-json.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { questionOf } from '../fakes/question.ts'

const KUBERNETES = { kind: 'kubernetes' } as const

/** The review as the API server gets it. */
const requestedBy = (parts: Parameters<typeof questionOf>[0]): Record<string, unknown> => {
  const review: unknown = JSON.parse(JSON.stringify(accessReviewOf(questionOf(parts))))
  assert.ok(typeof review === 'object' && review !== null)
  const { spec, ...type } = { spec: undefined, ...review }
  assert.deepEqual(type, { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' })
  assert.ok(typeof spec === 'object' && spec !== null)
  return { ...(spec as object) }
}

describe('the SubjectAccessReview of a request', () => {
  const CASES: readonly {
    readonly name: string
    readonly request: RequestParts
    readonly kind?: 'http'
    readonly want: Readonly<Record<string, unknown>>
  }[] = [
    {
      name: 'names an object of the core group',
      request: { path: '/api/v1/namespaces/a/pods/web-0' },
      want: {
        resourceAttributes: {
          verb: 'get',
          version: 'v1',
          namespace: 'a',
          resource: 'pods',
          name: 'web-0',
        },
      },
    },
    {
      name: 'names a subresource of another group',
      request: { method: 'PUT', path: '/apis/apps/v1/namespaces/a/deployments/web/scale' },
      want: {
        resourceAttributes: {
          verb: 'update',
          group: 'apps',
          version: 'v1',
          namespace: 'a',
          resource: 'deployments',
          subresource: 'scale',
          name: 'web',
        },
      },
    },
    {
      name: 'names a cluster-wide collection',
      request: { method: 'DELETE', path: '/api/v1/nodes' },
      want: { resourceAttributes: { verb: 'deletecollection', version: 'v1', resource: 'nodes' } },
    },
    {
      name: 'leaves out selectors',
      request: { path: '/api/v1/pods?labelSelector=app%3Dweb&fieldSelector=spec.nodeName%3Dn1' },
      want: { resourceAttributes: { verb: 'list', version: 'v1', resource: 'pods' } },
    },
    {
      name: 'names one object by a field selector',
      request: { path: '/api/v1/namespaces/a/pods?watch=1&fieldSelector=metadata.name%3Dweb' },
      want: {
        resourceAttributes: {
          verb: 'watch',
          version: 'v1',
          namespace: 'a',
          resource: 'pods',
          name: 'web',
        },
      },
    },
    {
      name: 'names a path without a resource',
      request: { method: 'HEAD', path: '/healthz/etcd?verbose' },
      want: { nonResourceAttributes: { path: '/healthz/etcd', verb: 'head' } },
    },
    {
      name: 'names a path of another service',
      kind: 'http',
      request: { method: 'POST', path: '/api/v1/pods?x=1' },
      want: { nonResourceAttributes: { path: '/api/v1/pods', verb: 'post' } },
    },
    {
      name: 'names a percent-encoded path of another service',
      kind: 'http',
      request: { path: '/a%20b' },
      want: { nonResourceAttributes: { path: '/a b', verb: 'get' } },
    },
  ]
  for (const { name, request, kind, want } of CASES) {
    it(name, () => {
      const { user, groups, ...attributes } = requestedBy({
        request,
        published: kind === undefined ? KUBERNETES : { kind },
      })
      assert.deepEqual({ user, groups }, { user: 'alice', groups: ['system:authenticated'] })
      assert.deepEqual(attributes, want)
    })
  }
})

describe('the SubjectAccessReview of a caller', () => {
  const CASES: readonly {
    readonly name: string
    readonly identity: Partial<Identity>
    readonly want: Readonly<Record<string, unknown>>
  }[] = [
    {
      name: 'has user, uid, groups and extra',
      identity: { user: 'bob', uid: 'u-1', groups: ['dev', 'ops'], extra: { dept: ['a', 'b'] } },
      want: {
        user: 'bob',
        uid: 'u-1',
        groups: ['dev', 'ops', 'system:authenticated'],
        extra: { dept: ['a', 'b'] },
      },
    },
    {
      name: 'has both of two keys that differ in case only',
      identity: { extra: { Dept: ['a'], dept: ['b'] } },
      want: { user: 'alice', groups: ['system:authenticated'], extra: { dept: ['a', 'b'] } },
    },
    {
      name: 'hostile: has keys that are properties of Object',
      identity: { extra: JSON.parse('{"__proto__":["a"],"constructor":["b"]}') },
      want: {
        user: 'alice',
        groups: ['system:authenticated'],
        extra: JSON.parse('{"__proto__":["a"],"constructor":["b"]}'),
      },
    },
    {
      name: 'keeps system:authenticated once',
      identity: { groups: ['system:authenticated', 'dev'] },
      want: { user: 'alice', groups: ['system:authenticated', 'dev'] },
    },
    {
      name: 'adds no group to a user in system:unauthenticated',
      identity: { groups: ['system:unauthenticated'] },
      want: { user: 'alice', groups: ['system:unauthenticated'] },
    },
    {
      name: 'has an anonymous user',
      identity: { user: 'system:anonymous' },
      want: { user: 'system:anonymous', groups: [] },
    },
  ]
  for (const { name, identity, want } of CASES) {
    it(name, () => {
      const { nonResourceAttributes, ...subject } = requestedBy({
        identity: { groups: [], ...identity },
      })
      assert.deepEqual(nonResourceAttributes, { path: '/', verb: 'get' })
      assert.deepEqual(subject, want)
    })
  }

  it('is about the caller, also where another user is impersonated', () => {
    const { user, groups } = requestedBy({
      request: {
        path: '/api/v1/pods',
        headers: [
          ['impersonate-user', 'root'],
          ['impersonate-group', 'system:masters'],
        ],
      },
      published: KUBERNETES,
    })
    assert.deepEqual({ user, groups }, { user: 'alice', groups: ['system:authenticated'] })
  })
})

describe('the answer to a SubjectAccessReview', () => {
  const of = (status: unknown, rest: Readonly<Record<string, unknown>> = {}): string =>
    JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: 'alice' },
      status,
      ...rest,
    })
  const yes = { outcome: 'reviewed', allowed: true }
  const no = { outcome: 'reviewed', allowed: false }
  const nonsense = (what: string) => ({ outcome: 'malformed', what })
  const CASES: readonly {
    readonly name: string
    readonly input: string
    readonly want: unknown
  }[] = [
    { name: 'allowed', input: of({ allowed: true, reason: 'RBAC: allowed by …' }), want: yes },
    { name: 'not allowed', input: of({ allowed: false }), want: no },
    { name: 'no opinion', input: of({ allowed: false, denied: false, reason: '' }), want: no },
    { name: 'denied', input: of({ allowed: false, denied: true }), want: no },
    {
      name: 'allowed, with an evaluation error',
      input: of({ allowed: true, evaluationError: 'no role "x"' }),
      want: yes,
    },
    {
      name: 'not allowed, with an evaluation error',
      input: of({ allowed: false, evaluationError: 'webhook is down' }),
      want: { outcome: 'undecided', what: 'webhook is down' },
    },
    {
      name: 'denied, with an evaluation error',
      input: of({ allowed: false, denied: true, evaluationError: 'webhook is down' }),
      want: { outcome: 'undecided', what: 'webhook is down' },
    },
    {
      name: 'a very long evaluation error',
      input: of({ allowed: false, evaluationError: 'x'.repeat(10_000) }),
      want: { outcome: 'undecided', what: 'x'.repeat(300) },
    },
    {
      name: 'hostile: `allowed` as a text',
      input: of({ allowed: 'true' }),
      want: nonsense('"allowed" is not a boolean'),
    },
    {
      name: 'hostile: a status without `allowed`',
      input: of({}),
      want: nonsense('"allowed" is not a boolean'),
    },
    {
      name: 'hostile: both allowed and denied',
      input: of({ allowed: true, denied: true }),
      want: nonsense('it allows and denies at once'),
    },
    {
      name: 'hostile: `denied` as a number',
      input: of({ allowed: true, denied: 0 }),
      want: nonsense('"denied" is not a boolean'),
    },
    {
      name: 'hostile: an evaluation error that is not text',
      input: of({ allowed: true, evaluationError: {} }),
      want: nonsense('"evaluationError" is not a string'),
    },
    { name: 'hostile: no status', input: of(undefined), want: nonsense('it has no status') },
    { name: 'hostile: a list', input: of([{ allowed: true }]), want: nonsense('it has no status') },
    {
      name: 'hostile: another version',
      input: of({ allowed: true }, { apiVersion: 'authorization.k8s.io/v1beta1' }),
      want: nonsense('it is not a SubjectAccessReview'),
    },
    {
      name: 'hostile: the specification of another review',
      input: of({ allowed: true }, { kind: 'SelfSubjectAccessReview' }),
      want: nonsense('it is not a SubjectAccessReview'),
    },
    {
      name: 'hostile: `allowed` outside of `status`',
      input: of({ allowed: false }, { allowed: true }),
      want: no,
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`is read: ${name}`, () => {
      const document = readJsonObject(Buffer.from(input))
      assert.ok(document !== undefined)
      assert.deepEqual(readAccessReview(document), want)
    })
  }
})

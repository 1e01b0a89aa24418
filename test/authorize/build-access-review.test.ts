// Rules with reviews of an API server: what is sent, how often, and the effect of its answers.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Answer } from '../servers/token-server.ts'
import type { QuestionParts } from '../fakes/question.ts'
import { NO, pod, start, YES } from '../clients/kubernetes/reviewing.ts'

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

describe('access reviews of rules', () => {
  it('send request and caller, and decide', async () => {
    await using site = await start()
    const { scripted, decide } = site
    const parts = { ...pod('web-0'), identity: { groups: ['dev'] } }
    assert.equal(await decide(parts), 'permit by-rbac')
    scripted.answer = () => NO
    assert.equal(await decide({ ...parts, identity: { user: 'bob' } }), 'no-rule')
    const [request, ...more] = scripted.requests
    assert.equal(more.length, 1)
    assert.equal(request?.method, 'POST')
    assert.equal(request.path, PATH)
    assert.equal(request.headers.authorization, 'Bearer own-token-1')
    assert.equal(request.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(request.body), {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: 'alice',
        groups: ['dev', 'system:authenticated'],
        resourceAttributes: {
          verb: 'get',
          version: 'v1',
          namespace: 'a',
          resource: 'pods',
          name: 'web-0',
        },
      },
    })
  })

  it('are about paths where the service is not a Kubernetes API', async () => {
    await using site = await start({}, { kind: 'http' })
    assert.equal(await site.decide({ request: { path: '/metrics?x=1' } }), 'permit by-rbac')
    const { spec } = JSON.parse(site.scripted.requests[0]?.body ?? '')
    assert.deepEqual(spec.nonResourceAttributes, { path: '/metrics', verb: 'get' })
  })

  it('may go to an API server below a path, with a client certificate', async () => {
    await using outer = await start()
    const pair = await outer.authority.issue({ commonName: 'authz', usage: 'client' })
    await using site = await start({
      server: `${outer.scripted.origin}/clusters/a/`,
      ca: outer.authority.ca,
      token: undefined,
      client: { certificate: pair.certificate, key: `file:${pair.key}` },
    })
    assert.equal(await site.decide(pod('a')), 'permit by-rbac')
    const [request] = outer.scripted.requests
    assert.equal(request?.path, `/clusters/a${PATH}`)
    assert.equal(request.headers.authorization, undefined)
  })

  it('are cached for a while, and shared by simultaneous requests', async () => {
    await using site = await start({ cacheTtl: '10s' })
    const { scripted, decide, clock } = site
    const { promise, resolve } = Promise.withResolvers<void>()
    scripted.answer = () => ({ ...YES, after: promise })
    const all = Array.from({ length: 50 }, () => decide(pod('a')))
    resolve()
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['permit by-rbac']))
    scripted.answer = () => NO
    clock.advance(9_999)
    assert.equal(await decide(pod('a')), 'permit by-rbac')
    assert.equal(scripted.requests.length, 1)
    clock.advance(1)
    assert.equal(await decide(pod('a')), 'no-rule')
    assert.equal(scripted.requests.length, 2)
  })

  it('are sent again after the cache is cleared', async () => {
    await using site = await start({ cacheTtl: '1h' })
    const { scripted, decide, built } = site
    assert.equal(await decide(pod('a')), 'permit by-rbac')
    scripted.answer = () => NO
    assert.equal(await decide(pod('a')), 'permit by-rbac')
    built.credentialCache.revoke()
    assert.equal(await decide(pod('a')), 'no-rule')
  })

  it('hostile: are separate for users that differ in any field', async () => {
    await using site = await start({ cacheTtl: '1h' })
    const { scripted, decide } = site
    assert.equal(await decide(pod('a')), 'permit by-rbac')
    scripted.answer = () => NO
    const others: readonly QuestionParts[] = [
      pod('b'),
      { request: { method: 'DELETE', path: '/api/v1/namespaces/a/pods/a' } },
      { request: { path: '/api/v1/namespaces/b/pods/a' } },
      { request: { path: '/api/v1/namespaces/a/pods/a/log' } },
      { request: { path: '/apis/x/v1/namespaces/a/pods/a' } },
      ...[
        { user: 'bob' },
        { uid: 'u-2' },
        { groups: ['dev'] },
        { groups: ['de', 'v'] },
        { extra: { a: ['b'] } },
        { extra: { a: ['b', 'c'] } },
      ].map((identity) => ({ ...pod('a'), identity })),
    ]
    for (const [index, parts] of others.entries()) {
      assert.equal(await decide(parts), 'no-rule', String(index))
    }
    assert.equal(scripted.requests.length, others.length + 1)
  })
})

describe('rules with access reviews', () => {
  const reviewed = (name: string, allowed: boolean, rest = {}) => ({
    ...(allowed ? { allow: name } : { deny: name }),
    subjectAccessReview: allowed,
    ...rest,
  })

  it('are evaluated in order, with one review for all of them', async () => {
    const authorize = [
      { deny: 'nobody-deletes', verbs: ['delete'] },
      { allow: 'administrators', groups: ['admins'] },
      reviewed('contractors', false, { groups: ['contractors'] }),
      { deny: 'secrets', resources: ['secrets'] },
      reviewed('by-rbac', true, { namespaces: ['a'] }),
      reviewed('not-by-rbac', false),
      { allow: 'rest' },
    ]
    await using site = await start({ cacheTtl: '0s' }, { authorize })
    const { scripted, decide } = site
    const path = '/api/v1/namespaces/a/pods/web'
    const inB = { path: '/api/v1/namespaces/b/pods/web' }
    const cases: readonly (readonly [QuestionParts, Answer, string, number])[] = [
      [{ request: { method: 'DELETE', path } }, YES, 'denied nobody-deletes', 0],
      [{ request: { path }, identity: { groups: ['admins'] } }, NO, 'permit administrators', 0],
      [{ request: { path: '/api/v1/namespaces/a/secrets/s' } }, YES, 'denied secrets', 0],
      [{ request: { path } }, YES, 'permit by-rbac', 1],
      [{ request: { path } }, NO, 'denied not-by-rbac', 1],
      [{ request: inB }, YES, 'permit rest', 1],
      [{ request: inB }, NO, 'denied not-by-rbac', 1],
      [{ request: { path }, identity: { groups: ['contractors'] } }, NO, 'denied contractors', 1],
      [{ request: { path }, identity: { groups: ['contractors'] } }, YES, 'permit by-rbac', 1],
    ]
    for (const [index, [parts, answer, want, questions]] of cases.entries()) {
      const before = scripted.requests.length
      scripted.answer = () => answer
      assert.equal(await decide(parts), want, String(index))
      assert.equal(scripted.requests.length - before, questions, String(index))
    }
  })
})

// What callers read where Envoy itself answers: a Status object on routes to API servers, and Envoy's text elsewhere.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../fakes/until.ts'
import { http1, valuesOf, type Answer } from '../servers/client.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { ALLOW } from '../servers/scripted-authz.ts'
import { startEdge, type Edge } from './edge.ts'

const KUBE = 'kube.example.org'

describe('an answer of Envoy itself', { skip: skipWithoutEnvoy() }, () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge({
      routes: [
        {
          name: 'files',
          match: { hosts: [KUBE], paths: ['/files/**', '/a+b/*'] },
          upstream: 'away',
        },
        {
          name: 'kube',
          kind: 'kubernetes',
          match: { hosts: [KUBE, '*.kube.test'] },
          upstream: 'away',
        },
        {
          name: 'part',
          kind: 'kubernetes',
          match: { hosts: ['part.example.org'], paths: ['/clusters/{name}/**'] },
          upstream: 'away',
        },
        {
          name: 'answers',
          kind: 'kubernetes',
          match: { hosts: ['answers.example.org'] },
          upstream: 'app',
        },
        { name: 'other', match: { hosts: ['*'] }, upstream: 'away' },
      ],
      envoy: { authzTimeout: '1s' },
      further: ({ pki }) => ({ away: { address: '127.0.0.1:1', ca: pki.ca } }),
    })
  })
  after(() => edge[Symbol.asyncDispose]())

  const send = async (host: string, path = '/api/v1/pods'): Promise<Answer> =>
    await http1({ ...edge.target, serverName: 'app.example.org' }, { host, path })

  const statusOf = (answer: Answer): object => {
    assert.deepEqual(valuesOf(answer, 'content-type'), ['application/json'])
    return JSON.parse(answer.body)
  }

  for (const [host, path] of [
    [KUBE],
    ['KUBE.example.org:6443'],
    ['one.kube.test'],
    ['deep.one.kube.test:443', '/files/x'],
    [KUBE, '/filesystem'],
    [KUBE, '/?path=/files/x'],
    ['part.example.org', '/clusters/one/api?timeout=1s'],
  ] as const) {
    it(`is a Status for an API server that cannot be reached: ${host}${path ?? ''}`, async () => {
      edge.authz.answer = ALLOW
      const answer = await send(host, path)
      assert.equal(answer.status, 503)
      // Envoy writes its line when the answer has left.
      const [, request = ''] = /\(request ([\w-]+)\)/.exec(answer.body) ?? []
      await until(async () => (await edge.refusals()).some((line) => line['request'] === request))
      assert.deepEqual(statusOf(answer), {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `The API server cannot be reached. Try again later (request ${request})`,
        reason: 'ServiceUnavailable',
        code: 503,
      })
    })
  }

  for (const [host, path] of [
    [KUBE, '/files/x?y'],
    [KUBE, '/a+b/c'],
    ['kube.test', '/'],
    ['kube.example.org.test', '/'],
    ['other.example.org', '/api/v1/pods'],
  ] as const) {
    it(`is text on other routes: ${host}${path}`, async () => {
      edge.authz.answer = ALLOW
      const answer = await send(host, path)
      assert.equal(answer.status, 503)
      assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain'])
      assert.match(answer.body, /upstream connect error/)
    })
  }

  it('is a Status where authz gives no answer in time', async () => {
    edge.authz.answer = 'silence'
    const answer = await send(KUBE)
    assert.equal(answer.status, 503)
    assert.match(
      JSON.stringify(statusOf(answer)),
      /"message":"The request could not be checked\. Try again later \(request /,
    )
  })

  it('leaves what authz or the upstream answers as it is', async () => {
    const body = '{"reason":"Forbidden"}'
    edge.authz.answer = {
      allow: false,
      httpStatus: 503,
      grpcStatus: 14,
      headers: [['content-type', 'text/x-own']],
      body,
    }
    const refused = await send(KUBE)
    assert.deepEqual([refused.status, refused.body], [503, body])
    assert.deepEqual(valuesOf(refused, 'content-type'), ['text/x-own'])
    edge.authz.answer = ALLOW
    assert.equal((await send('answers.example.org')).status, 200)
  })
})

// The route of a request in Envoy, and the route name that authz receives.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { sendRaw } from '../servers/raw-client.ts'
import { ALLOW } from '../servers/scripted-authz.ts'
import { startEdge, type Edge, type RouteParts } from './edge.ts'

const ROUTES: readonly RouteParts[] = [
  { name: 'login', match: { hosts: ['*'], paths: ['/login', '/login/**'] } },
  { name: 'docs', match: { hosts: ['a.example.org', '*.docs.example.org'] } },
  { name: 'api', match: { hosts: ['*.example.org', 'api.test'], paths: ['/api/*/pods/**'] } },
  {
    name: 'files',
    match: { hosts: ['*.example.org'], paths: ['/f*.js', '/my files/ü/**', '/orgs/{org}/x'] },
  },
  { name: 'loopback', match: { hosts: ['[::1]'], paths: ['/'] } },
]

/** `''` is what no route publishes. */
const CASES: readonly { readonly host: string; readonly path: string; readonly want: string }[] = [
  { host: 'a.example.org', path: '/', want: 'docs' },
  { host: 'a.example.org', path: '/api/v1/pods', want: 'docs' }, // the first in the file
  { host: 'a.example.org', path: '/login/x', want: 'login' },
  { host: 'b.example.org', path: '/', want: '' },
  { host: 'b.example.org', path: '/login', want: 'login' },
  { host: 'b.example.org', path: '/logins', want: '' },
  { host: 'b.example.org', path: '/api/v1/pods', want: 'api' },
  { host: 'b.example.org', path: '/api/v1/pods/x/log?follow=1', want: 'api' },
  { host: 'b.example.org', path: '/api/v1/podsx', want: '' },
  { host: 'b.example.org', path: '/api/v1/x/pods', want: '' },
  { host: 'b.example.org', path: '/x?/api/v1/pods', want: '' },
  { host: 'b.example.org', path: '/API/v1/pods', want: '' },
  { host: 'b.example.org', path: '/%61pi/v1/pods', want: 'api' }, // Envoy decodes what needs no code
  { host: 'b.example.org', path: '/x/..//api/./v1/pods', want: 'api' },
  { host: 'b.example.org', path: '/f1.js', want: 'files' },
  { host: 'b.example.org', path: '/f1-js', want: '' },
  { host: 'b.example.org', path: '/my%20files/%C3%BC/x', want: 'files' },
  { host: 'b.example.org', path: '/orgs/a%40b/x', want: 'files' },
  { host: 'b.example.org', path: '/orgs/x', want: '' },
  { host: 'c.b.example.org', path: '/f1.js', want: 'files' },
  { host: 'c.docs.example.org', path: '/f1.js', want: 'docs' },
  { host: 'docs.example.org', path: '/f1.js', want: 'files' },
  { host: 'example.org', path: '/f1.js', want: '' },
  { host: 'api.test', path: '/api/v1/pods', want: 'api' },
  { host: 'api.test', path: '/f1.js', want: '' },
  { host: 'nowhere.test', path: '/login', want: 'login' },
  { host: 'nowhere.test', path: '/', want: '' },
  { host: '127.0.0.1', path: '/', want: '' },
  { host: '[::1]:8443', path: '/', want: 'loopback' },
  { host: 'A.Example.ORG', path: '/', want: 'docs' },
  { host: 'a.example.org.', path: '/', want: 'docs' },
  { host: 'a.example.org:8443', path: '/', want: 'docs' },
  { host: 'a.example.org.:8443', path: '/', want: 'docs' },
  { host: 'a.example.org,b.example.org', path: '/', want: '' },
]

describe('routes in Envoy', { skip: skipWithoutEnvoy() }, () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge({ routes: ROUTES.map((route) => ({ ...route, upstream: 'app' })) })
  })
  after(() => edge[Symbol.asyncDispose]())

  for (const { host, path, want } of CASES) {
    it(`${host}${path} takes ${want === '' ? 'none' : want}`, async () => {
      edge.authz.answer = ALLOW
      const line = `GET ${path} HTTP/1.1`
      const { status } = await sendRaw(edge.target, { line, headers: [['Host', host]] })
      const route = edge.authz.checks.at(-1)?.contextExtensions.get('countersign.route')
      assert.deepEqual({ status, route }, { status: want === '' ? 403 : 200, route: want })
    })
  }

  it('lets authz answer for what no route publishes', async () => {
    edge.authz.answer = {
      allow: false,
      grpcStatus: 7,
      httpStatus: 403,
      headers: [['x-countersign-decision', 'one']],
      body: 'not published',
    }
    const answer = await sendRaw(edge.target, { headers: [['Host', 'nowhere.test']] })
    assert.equal(answer.body, 'not published')
    assert.ok(answer.headers.some(([name]) => name === 'x-countersign-decision'))
  })

  const REFUSED = ['/a%2fb', '/a%5Cb', '/a%00b', '/a#b', '/a?b#c', '/a b', '/ä', 'a']
  for (const path of REFUSED) {
    it(`refuses ${path} without asking`, async () => {
      edge.authz.checks.length = 0
      const line = `GET ${path} HTTP/1.1`
      const { status } = await sendRaw(edge.target, { line, headers: [['Host', 'a.example.org']] })
      assert.equal(status, 400)
      assert.equal(edge.authz.checks.length, 0)
    })
  }
})

// Phase 2: which route takes a request.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requestOf, type RequestParts } from '../fakes/envoy.ts'
import { routesOf, type RouteParts } from '../fakes/route.ts'

const find = (routes: readonly RouteParts[], request: RequestParts): string | undefined =>
  routesOf(...routes).find(requestOf(request))?.name

const to = (
  name: string,
  hosts: readonly string[] = ['*'],
  paths: readonly string[] = ['/**'],
) => ({
  name,
  match: { hosts: [...hosts], paths: [...paths] },
})

describe('the route of a request', () => {
  const ROUTES = [
    to('kube', ['kube.example.org'], ['/api/**', '/apis/**']),
    to('kube-rest', ['kube.example.org']),
    to('apps', ['*.apps.example.org']),
    to('local', ['[::1]', '127.0.0.1']),
    to('status', ['status.example.org'], ['/status']),
  ]
  const CASES: readonly { name: string; input: RequestParts; want: string | undefined }[] = [
    {
      name: 'by host and path',
      input: { host: 'kube.example.org', path: '/api/v1' },
      want: 'kube',
    },
    {
      name: 'by another of its paths',
      input: { host: 'kube.example.org', path: '/apis' },
      want: 'kube',
    },
    {
      name: 'is the first that matches',
      input: { host: 'kube.example.org', path: '/apix' },
      want: 'kube-rest',
    },
    {
      name: 'in upper case, with port and dot',
      input: { host: 'KUBE.example.org.:443', path: '/x' },
      want: 'kube-rest',
    },
    { name: 'by a wildcard', input: { host: 'a.apps.example.org' }, want: 'apps' },
    { name: 'by a wildcard, further below', input: { host: 'b.a.apps.example.org' }, want: 'apps' },
    {
      name: 'is not the wildcard for the name itself',
      input: { host: 'apps.example.org' },
      want: undefined,
    },
    {
      name: 'is not the wildcard for a name that ends alike',
      input: { host: 'xapps.example.org' },
      want: undefined,
    },
    { name: 'by IPv6', input: { host: '[::1]:8443' }, want: 'local' },
    { name: 'by IPv4', input: { host: '127.0.0.1:8443' }, want: 'local' },
    { name: 'is none for an unknown host', input: { host: 'other.example.org' }, want: undefined },
    {
      name: 'is none for an unknown path',
      input: { host: 'status.example.org', path: '/' },
      want: undefined,
    },
    {
      name: 'is by the decoded path',
      input: { host: 'kube.example.org', path: '/%61pi/v1' },
      want: 'kube',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => assert.equal(find(ROUTES, input), want))
  }

  it('is the first in the order of the configuration, not the most specific', () => {
    assert.equal(find([to('all'), to('one', ['a.example'])], { host: 'a.example' }), 'all')
  })

  it('is none where there are no routes', () => assert.equal(find([], {}), undefined))
})

describe('the route that Envoy names', () => {
  const ROUTES = [to('app', ['app.example.org'], ['/app/**']), to('admin', ['admin.example.org'])]

  it('counts, whatever host and path say', () => {
    const request = { host: 'app.example.org', path: '/app/x', route: 'admin' }
    assert.equal(find(ROUTES, request), 'admin')
  })

  for (const route of ['unknown', '', 'App', 'toString', '__proto__', '*']) {
    it(`is none when there is no ${JSON.stringify(route)}, rather than another`, () => {
      assert.equal(find(ROUTES, { host: 'app.example.org', path: '/app/x', route }), undefined)
    })
  }
})

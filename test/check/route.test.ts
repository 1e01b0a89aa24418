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
      name: 'matches by host and path',
      input: { host: 'kube.example.org', path: '/api/v1' },
      want: 'kube',
    },
    {
      name: 'matches by another of its paths',
      input: { host: 'kube.example.org', path: '/apis' },
      want: 'kube',
    },
    {
      name: 'is the first that matches',
      input: { host: 'kube.example.org', path: '/apix' },
      want: 'kube-rest',
    },
    {
      name: 'matches a host in capitals, with port and final dot',
      input: { host: 'KUBE.example.org.:443', path: '/x' },
      want: 'kube-rest',
    },
    { name: 'matches a wildcard', input: { host: 'a.apps.example.org' }, want: 'apps' },
    {
      name: 'matches a wildcard two labels above',
      input: { host: 'b.a.apps.example.org' },
      want: 'apps',
    },
    {
      name: 'does not match a wildcard by the name itself',
      input: { host: 'apps.example.org' },
      want: undefined,
    },
    {
      name: 'does not match a wildcard by a name that ends alike',
      input: { host: 'xapps.example.org' },
      want: undefined,
    },
    { name: 'matches an IPv6 address', input: { host: '[::1]:8443' }, want: 'local' },
    { name: 'matches an IPv4 address', input: { host: '127.0.0.1:8443' }, want: 'local' },
    {
      name: 'is missing for an unknown host',
      input: { host: 'other.example.org' },
      want: undefined,
    },
    {
      name: 'is missing for an unknown path',
      input: { host: 'status.example.org', path: '/' },
      want: undefined,
    },
    {
      name: 'matches by the decoded path',
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

  it('is missing without routes', () => assert.equal(find([], {}), undefined))
})

describe('the route that Envoy names', () => {
  const ROUTES = [to('app', ['app.example.org'], ['/app/**']), to('admin', ['admin.example.org'])]

  it('is used, whatever host and path', () => {
    const request = { host: 'app.example.org', path: '/app/x', route: 'admin' }
    assert.equal(find(ROUTES, request), 'admin')
  })

  for (const route of ['unknown', '', 'App', 'toString', '__proto__', '*']) {
    it(`is missing for the unknown name ${JSON.stringify(route)}, rather than another`, () => {
      assert.equal(find(ROUTES, { host: 'app.example.org', path: '/app/x', route }), undefined)
    })
  }
})

describe('a path that a lenient server could read as one of another route', () => {
  const ROUTES = [
    to('admin', ['app.example.org'], ['/admin', '/admin/**', '/*.adm']),
    to('elsewhere', ['other.example.org'], ['/rest/**']),
    to('rest', ['*.example.org']),
  ]
  /** The route that takes the request, and the earlier one that it could be for. */
  const read = (
    request: RequestParts,
    routes: readonly RouteParts[] = ROUTES,
  ): readonly (string | undefined)[] => {
    const received = requestOf({ host: 'app.example.org', ...request })
    const route = routesOf(...routes).find(received)
    return [route?.name, route?.otherRouteOf?.(received)]
  }

  const AMBIGUOUS = [
    '/admin;a=b/x',
    '/admin;/x',
    '/admin;x/',
    '/admin;',
    '/admin%3bx/y',
    '/ADMIN/x',
    '/ADMIN/',
    '/Admin',
    '/adm%C4%B0n/x',
    '/adm%C4%B1n/x',
    '/%EF%BD%81dmin/x',
    '/%EF%BC%A1dmin',
    '/a.ADM',
    '/a.adm/',
    '/a.adm;v=1',
    '/;x/admin/y',
  ]
  for (const path of AMBIGUOUS) {
    it(`is found ambiguous: ${path}`, () => assert.deepEqual(read({ path }), ['rest', 'admin']))

    it(`is ${path}, where Envoy names the route`, () => {
      assert.deepEqual(read({ path, route: 'rest' }), ['rest', 'admin'])
    })
  }

  const PLAIN = [
    '/',
    '/x',
    '/X',
    '/x;v=1',
    '/x/admin',
    '/administration',
    '/ADMINISTRATION/',
    '/x/',
    '/%C3%BC/',
    '/a.admx',
    '/rest;x/',
  ]
  for (const path of PLAIN) {
    it(`is not ${path}`, () => assert.deepEqual(read({ path }), ['rest', undefined]))
  }

  for (const path of ['/admin', '/admin/', '/admin/x', '/admin/X;v=1/', '/%61dmin/x']) {
    it(`is not ${path}, which the earlier route matches`, () => {
      assert.deepEqual(read({ path }), ['admin', undefined])
    })
  }

  it('is not one that the earlier route matches, where Envoy names a later one', () => {
    assert.deepEqual(read({ path: '/admin/x', route: 'rest' }), ['rest', undefined])
  })

  it('is not one of a route on another host', () => {
    assert.deepEqual(read({ host: 'b.example.org', path: '/ADMIN/x' }), ['rest', undefined])
  })

  it('is one in lower case, where the earlier route has capitals', () => {
    const routes = [to('files', ['*'], ['/Files/**', '/Dir/']), to('rest')]
    assert.deepEqual(read({ path: '/files/x' }, routes), ['rest', 'files'])
    assert.deepEqual(read({ path: '/dir' }, routes), ['rest', 'files'])
    assert.deepEqual(read({ path: '/Files/x' }, routes), ['files', undefined])
    assert.deepEqual(read({ path: '/other' }, routes), ['rest', undefined])
  })

  it('is one of the first of several routes', () => {
    const routes = [to('one', ['*'], ['/a/b/**']), to('two', ['*'], ['/a/**']), to('rest')]
    assert.deepEqual(read({ path: '/A/b/c' }, routes), ['rest', 'one'])
    assert.deepEqual(read({ path: '/a/B/c' }, routes), ['two', 'one'])
    assert.deepEqual(read({ path: '/A/x' }, routes), ['rest', 'two'])
  })

  const ENCODED = [
    { what: 'a character that need not be encoded', glob: '/@ops/**', path: '/%40ops/x' },
    { what: 'digits in lower case', glob: '/ü/**', path: '/%c3%bc/x' },
  ]
  for (const { what, glob, path } of ENCODED) {
    const routes = (ambiguousPaths: 'refuse' | 'allow') => [
      to('admin', ['*'], [glob]),
      { name: 'rest', match: { ambiguousPaths } },
    ]
    it(`is one that Envoy took for a later route, and that decodes to the earlier: ${what}`, () => {
      assert.deepEqual(read({ path, route: 'rest' }, routes('refuse')), ['rest', 'admin'])
      assert.deepEqual(read({ path, route: 'rest' }, routes('allow')), ['rest', 'admin'])
      assert.deepEqual(read({ path }, routes('allow')), ['admin', undefined])
    })
  }

  it('is one that matches an earlier route literally, and a later one without path parameters', () => {
    const routes = [to('images', ['*'], ['/*.png', '/static/*']), to('admin', ['*'], ['/admin/**'])]
    for (const path of ['/admin;.png', '/ADMIN;x.png']) {
      assert.deepEqual(read({ path }, routes), ['images', 'admin'])
      assert.deepEqual(read({ path, route: 'images' }, routes), ['images', 'admin'])
    }
    for (const path of ['/a.png', '/A.png', '/a;v=1.png', '/static/a;.png', '/admin.png']) {
      assert.deepEqual(read({ path }, routes), ['images', undefined])
    }
    const [images, admin] = routes
    const allowing = { ...images, match: { ...images?.match, ambiguousPaths: 'allow' as const } }
    assert.deepEqual(read({ path: '/admin;.png' }, [allowing, admin ?? {}]), ['images', undefined])
  })

  it('is allowed where the route is configured so', () => {
    const rest = { name: 'rest', match: { ambiguousPaths: 'allow' } } as const
    const routes = [to('admin', ['*'], ['/admin/**']), rest, to('last')]
    assert.deepEqual(read({ path: '/ADMIN/x' }, routes), ['rest', undefined])
  })

  it('is not looked for on hosts with one route', () => {
    const routes = [to('a', ['a.example.org'], ['/a/**']), to('b', ['b.example.org'])]
    assert.equal(
      routesOf(...routes).find(requestOf({ host: 'b.example.org' }))?.otherRouteOf,
      undefined,
    )
  })
})

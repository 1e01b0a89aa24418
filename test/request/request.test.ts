// Phase 1: which of Envoy's accounts become a request, and which are refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRequest } from '../../src/request/request.ts'
import { attributesOf, requestOf, type HeaderLines, type RequestParts } from '../fakes/envoy.ts'

const codeOf = (parts: RequestParts): string => {
  const reading = readRequest(attributesOf(parts))
  return reading.outcome === 'read' ? 'read' : reading.code
}

const checkAll = (cases: readonly { name: string; input: RequestParts; want: string }[]): void => {
  for (const { name, input, want } of cases)
    it(`is ${want === 'read' ? want : `refused as ${want}`}: ${name}`, () =>
      assert.equal(codeOf(input), want))
}

describe('a request that is read', () => {
  it('has every part in its one form', () => {
    const request = requestOf({
      method: 'PATCH',
      path: '/%C3%BC?a=b',
      host: 'APP.Example.org.:8443',
      headers: [['x-request-id', 'f3a0']],
      peerCertificate: 'PEM',
      serverName: 'app.example.org',
      route: 'app',
    })
    const { headers, ...rest } = request
    assert.equal(headers.lines.length, 1)
    assert.deepEqual(rest, {
      id: 'f3a0',
      method: 'PATCH',
      path: '/ü',
      rawPath: '/%C3%BC',
      query: 'a=b',
      host: 'app.example.org',
      impersonates: false,
      source: { address: '203.0.113.7', port: 40_000 },
      peerCertificate: 'PEM',
      serverName: 'app.example.org',
      routeName: 'app',
    })
  })

  it('cannot be changed', () => assert.ok(Object.isFrozen(requestOf())))

  it('has no id when Envoy gave none', () => assert.equal(requestOf().id, undefined))

  it('has no route name when Envoy leaves the choice to us', () => {
    assert.equal(requestOf().routeName, undefined)
  })

  it('has an empty route name when Envoy names an empty one', () => {
    assert.equal(requestOf({ route: '' }).routeName, '')
  })

  it('takes the route from the context extension and never from a header', () => {
    const headers: HeaderLines = [['countersign.route', 'admin']]
    assert.equal(requestOf({ headers }).routeName, undefined)
  })
})

describe('the method', () => {
  checkAll([
    { name: 'GET', input: { method: 'GET' }, want: 'read' },
    { name: 'M-SEARCH', input: { method: 'M-SEARCH' }, want: 'read' },
    { name: 'none', input: { method: '' }, want: 'malformed-method' },
    { name: 'in lower case', input: { method: 'get' }, want: 'malformed-method' },
    { name: 'with a space', input: { method: 'GET /' }, want: 'malformed-method' },
    { name: 'with a line break', input: { method: 'GET\n' }, want: 'malformed-method' },
    { name: 'non-ASCII', input: { method: 'GËT' }, want: 'malformed-method' },
    { name: 'of 32 letters', input: { method: 'A'.repeat(32) }, want: 'read' },
    { name: 'of 33 letters', input: { method: 'A'.repeat(33) }, want: 'malformed-method' },
  ])
})

describe('the host', () => {
  const READ = [
    { name: 'a name', input: 'app.example.org', want: 'app.example.org' },
    { name: 'one label', input: 'localhost', want: 'localhost' },
    { name: 'upper case', input: 'App.EXAMPLE.org', want: 'app.example.org' },
    { name: 'a port', input: 'app.example.org:443', want: 'app.example.org' },
    { name: 'a trailing dot', input: 'app.example.org.', want: 'app.example.org' },
    { name: 'a trailing dot and a port', input: 'app.example.org.:443', want: 'app.example.org' },
    { name: 'an underscore', input: 'my_app.example.org', want: 'my_app.example.org' },
    { name: 'punycode', input: 'xn--bcher-kva.example', want: 'xn--bcher-kva.example' },
    { name: 'IPv4', input: '127.0.0.1:8080', want: '127.0.0.1' },
    { name: 'IPv6', input: '[::1]', want: '[::1]' },
    { name: 'IPv6 with a port', input: '[2001:DB8::7]:8443', want: '[2001:db8::7]' },
    { name: 'IPv6 with an IPv4 tail', input: '[::ffff:127.0.0.1]:1', want: '[::ffff:127.0.0.1]' },
  ]
  for (const { name, input, want } of READ) {
    it(`is read from the authority: ${name}`, () =>
      assert.equal(requestOf({ host: input }).host, want))
  }

  const BAD = [
    { name: 'none', input: '' },
    { name: 'a port alone', input: ':443' },
    { name: 'a dot alone', input: '.' },
    { name: 'a leading dot', input: '.example.org' },
    { name: 'two trailing dots', input: 'app.example.org..' },
    { name: 'an empty label', input: 'app..example.org' },
    { name: 'an empty port', input: 'app.example.org:' },
    { name: 'a port of six digits', input: 'app.example.org:123456' },
    { name: 'two ports', input: 'app.example.org:1:2' },
    { name: 'IPv6 without brackets', input: '::1' },
    { name: 'an open bracket', input: '[::1' },
    { name: 'an IPv6 zone', input: '[fe80::1%25eth0]' },
    { name: 'user information', input: 'admin@app.example.org' },
    { name: 'a path', input: 'app.example.org/x' },
    { name: 'a space', input: 'app.example.org ' },
    { name: 'a NUL', input: 'app.example.org\0' },
    { name: 'a line break', input: 'app.example.org\n' },
    { name: 'two hosts', input: 'app.example.org,evil.example' },
    { name: 'a wildcard', input: '*.example.org' },
    { name: 'per cent encoding', input: 'app%2eexample.org' },
    { name: 'non-ASCII', input: 'bücher.example' },
    { name: 'more than a name can have', input: `${'a'.repeat(62)}.`.repeat(4).concat('ab') },
    { name: 'a Kelvin sign, which lower-cases to "k"', input: '\u212Aube.example.org' },
  ]
  for (const { name, input } of BAD) {
    it(`refuses a host that is ${name}`, () =>
      assert.equal(codeOf({ host: input }), 'malformed-host'))
  }
})

describe('the path', () => {
  checkAll([
    { name: 'malformed', input: { path: '/%' }, want: 'malformed-path' },
    { name: 'ambiguous', input: { path: '/a/../b' }, want: 'ambiguous-path' },
  ])
})

const twice = (one: string, two: string): RequestParts => ({
  headers: [
    [one, 'Basic YTpi'],
    ['accept', '*/*'],
    [two, 'Basic YTpi'],
  ],
})

describe('the Authorization header', () => {
  checkAll([
    { name: 'none', input: {}, want: 'read' },
    { name: 'one', input: { headers: [['authorization', 'Basic YTpi']] }, want: 'read' },
    {
      name: 'an equal second one',
      input: twice('authorization', 'authorization'),
      want: 'duplicate-credential',
    },
    {
      name: 'a second one in upper case',
      input: twice('authorization', 'AUTHORIZATION'),
      want: 'duplicate-credential',
    },
    {
      name: 'a name that only resembles it',
      input: twice('authorization', 'x-authorization'),
      want: 'read',
    },
  ])
})

describe('a Connection header', () => {
  const CASES = [
    { name: 'empty', value: '', want: 'read' },
    { name: 'close', value: 'close', want: 'read' },
    { name: 'keep-alive', value: 'Keep-Alive', want: 'read' },
    { name: 'te', value: 'TE', want: 'read' },
    { name: 'an upgrade', value: 'Upgrade', want: 'read' },
    { name: 'harmless options', value: ' keep-alive ,\tUpgrade,, ', want: 'read' },
    { name: 'nominates an identity header', value: 'x-remote-user', want: 'connection-nomination' },
    {
      name: 'hides a nomination in a list',
      value: 'close, X-Remote-Group ,te',
      want: 'connection-nomination',
    },
    { name: 'nominates Authorization', value: 'authorization', want: 'connection-nomination' },
    { name: 'nominates anything else', value: 'x-harmless', want: 'connection-nomination' },
    { name: 'asks for HTTP/2', value: 'Upgrade, HTTP2-Settings', want: 'connection-nomination' },
    { name: 'has a quoted option', value: '"close"', want: 'connection-nomination' },
    {
      name: 'separates by semicolon',
      value: 'close; x-remote-user',
      want: 'connection-nomination',
    },
    {
      name: 'has bytes that are not ASCII',
      value: Buffer.from('close\xff', 'latin1'),
      want: 'connection-nomination',
    },
    { name: 'has a NUL', value: 'close\0x-remote-user', want: 'connection-nomination' },
  ]
  for (const header of ['connection', 'Connection']) {
    for (const { name, value, want } of CASES) {
      it(`is judged by its options: ${header}: ${name}`, () =>
        assert.equal(codeOf({ headers: [[header, value]] }), want))
    }
  }

  it('is judged on every line', () => {
    const headers: HeaderLines = [
      ['connection', 'close'],
      ['connection', 'x-remote-user'],
    ]
    assert.equal(codeOf({ headers }), 'connection-nomination')
  })
})

describe('the source address', () => {
  const sourceOf = (headers: HeaderLines, behindProxies: boolean): string => {
    const reading = readRequest(attributesOf({ headers }), { behindProxies })
    assert.equal(reading.outcome, 'read')
    return reading.request.source.address
  }
  const NAMED: HeaderLines = [['x-envoy-external-address', '198.51.100.7']]

  it('is the connection’s, whatever the caller claims', () => {
    assert.equal(sourceOf(NAMED, false), '203.0.113.7')
    assert.equal(sourceOf([['x-forwarded-for', '198.51.100.7']], false), '203.0.113.7')
  })

  it('is the address that Envoy names, behind proxies that it counts', () => {
    assert.equal(sourceOf(NAMED, true), '198.51.100.7')
  })

  it('is the connection’s where Envoy names no address', () => {
    assert.equal(sourceOf([], true), '203.0.113.7')
    assert.equal(sourceOf([['x-envoy-external-address', 'root']], true), '203.0.113.7')
  })
})

describe('impersonation headers', () => {
  const impersonates = (name: string): boolean =>
    requestOf({ headers: [[name, 'admin']] }).impersonates

  for (const name of [
    'impersonate-user',
    'Impersonate-User',
    'impersonate-group',
    'impersonate-extra-%2f',
    'impersonate_user',
    'IMPERSONATE_EXTRA_x',
    'impersonate-',
  ]) {
    it(`are seen, whatever the route makes of them: ${name}`, () => {
      assert.equal(impersonates(name), true)
    })
  }

  it('are not what only resembles them', () => {
    assert.equal(impersonates('impersonate'), false)
    assert.equal(impersonates('x-impersonate-user'), false)
  })
})

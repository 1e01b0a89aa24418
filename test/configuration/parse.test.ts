// What a configuration must not say: every cross-check, and every rule of the schema that guards
// something, with the place of the problem. Routes are in parse-routes.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkAll, ENVOY, problemsIn, type Sections } from './sections.ts'

/** One authenticator with this in its `basic`. */
const basic = (text: string): Sections => ({
  authenticators: `authenticators: { staff: { basic: { verify: [{ users: { file: u } }], ${text} } } }`,
})

describe('the version', () => {
  checkAll([
    { name: 'is required', input: { version: '' }, want: [/^version: required, but missing$/] },
    { name: 'is 1', input: { version: 'version: 2' }, want: [/^version: /] },
    { name: 'is a number', input: { version: 'version: "1"' }, want: [/^version: /] },
  ])
})

/** The listener. */
const listen = (text: string): Sections => ({
  listen: `listen: { authz: ${text} }`,
})

describe('the listener', () => {
  const tls = 'tls: { certificate: c, key: file:k, clientCa: a }'
  const NEEDS_TLS = /^listen\.authz: a TCP address that is not loopback needs "tls"/
  checkAll([
    {
      name: 'is required',
      input: { listen: 'listen: {}' },
      want: [/^listen\.authz: required, but missing$/],
    },
    { name: 'may be a UNIX socket', input: listen('unix:a.sock'), want: [] },
    { name: 'may be loopback', input: listen('127.0.0.1:9001'), want: [] },
    { name: 'may be IPv6 loopback', input: listen('"[::1]:9001"'), want: [] },
    { name: 'of other machines needs TLS', input: listen('0.0.0.0:9001'), want: [NEEDS_TLS] },
    { name: 'of all addresses needs TLS', input: listen('"[::]:9001"'), want: [NEEDS_TLS] },
    { name: 'by name needs TLS', input: listen('authz:9001'), want: [NEEDS_TLS] },
    {
      name: 'written out needs TLS all the same',
      input: listen('{ address: 0.0.0.0:9001 }'),
      want: [NEEDS_TLS],
    },
    { name: 'has it', input: listen(`{ address: 0.0.0.0:9001, ${tls} }`), want: [] },
    {
      name: 'accepts plaintext with consent',
      input: listen('{ address: 0.0.0.0:9001, plaintext: true }'),
      want: [],
    },
    {
      name: 'never holds a key itself',
      input: listen('{ address: a:1, tls: { certificate: c, key: MIIE, clientCa: a } }'),
      want: [/^listen\.authz\.tls\.key: must be a reference/],
    },
    {
      name: 'has all of TLS or nothing',
      input: listen('{ address: a:1, tls: { certificate: c } }'),
      want: [/^listen\.authz\.tls\.key: required/, /^listen\.authz\.tls\.clientCa: required/],
    },
    {
      name: 'has an octal mode',
      input: listen('{ address: unix:a, mode: "0888" }'),
      want: [/^listen\.authz\.mode: must be an octal file mode/],
    },
    {
      name: 'is an address',
      input: listen('nonsense'),
      want: [/^listen\.authz: must be "unix:PATH"/],
    },
  ])
})

describe('authenticators', () => {
  checkAll([
    {
      name: 'have names that go into statistics',
      input: {
        authenticators:
          'authenticators: { "Staff!": { basic: { verify: [] } }, staff: { basic: { verify: [{ users: { file: u } }] } } }',
      },
      want: [/^authenticators\["Staff!"\]: must be 1 to 63 lower-case letters/],
    },
    {
      name: 'have a verifier',
      input: { authenticators: 'authenticators: { staff: { basic: { verify: [] } } }' },
      want: [/^authenticators\.staff\.basic\.verify: Too small/],
    },
    { name: 'have a realm', input: basic('realm: Kubernetes (staff)'), want: [] },
    {
      name: 'have no quote in the realm',
      input: basic(`realm: 'a", Bearer realm="b'`),
      want: [/^authenticators\.staff\.basic\.realm: must be printable ASCII/],
    },
    {
      name: 'have no line break in the realm',
      input: basic('realm: "a\\r\\nset-cookie: b"'),
      want: [/^authenticators\.staff\.basic\.realm: must be printable ASCII/],
    },
    { name: 'may remember nothing', input: basic('cacheTtl: 0s'), want: [] },
    {
      name: 'remember for a time',
      input: basic('cacheTtl: ever'),
      want: [/cacheTtl: must be a duration/],
    },
    { name: 'may do without a guard', input: basic('bruteForceProtection: false'), want: [] },
    {
      name: 'cannot have a guard that is only switched on',
      input: basic('bruteForceProtection: true'),
      want: [/^authenticators\.staff\.basic\.bruteForceProtection: /],
    },
    {
      name: 'cannot lock out before they let wait',
      input: basic('bruteForceProtection: { user: { attempts: 20, lockAfter: 19 } }'),
      want: [/basic\.bruteForceProtection\.user: must have "attempts" no larger than "lockAfter"/],
    },
    {
      name: 'cannot allow a user more than a hundred failures in a row',
      input: basic('bruteForceProtection: { user: { lockAfter: 101 } }'),
      want: [/basic\.bruteForceProtection\.user\.lockAfter: /],
    },
    {
      name: 'cannot wait for nothing',
      input: basic('bruteForceProtection: { source: { backOff: 0s } }'),
      want: [/basic\.bruteForceProtection\.source\.backOff: must be longer than nothing/],
    },
    {
      name: 'cannot cache a refusal for longer than the failure counts',
      input: basic('bruteForceProtection: { repeats: { cacheTtl: 2h } }'),
      want: [
        /basic\.bruteForceProtection\.repeats: must have "cacheTtl" no longer than "countInterval"/,
      ],
    },
    { name: 'have no other keys', input: basic('users: x'), want: [/basic\.users: unknown key/] },
  ])
})

/** The `envoy` section with this upstream. */
const envoy = (upstream: string): Sections => ({
  envoy: ENVOY.replace('{ address: 10.0.0.1:443, ca: ca.pem }', upstream),
})

describe('the envoy section', () => {
  checkAll([
    { name: 'fits', input: { envoy: ENVOY }, want: [] },
    {
      name: 'has an upstream for each route',
      input: { envoy: ENVOY.replace('app:', 'other:') },
      want: [/^routes\[0\]\.name: there is no "app" in envoy\.upstreams$/],
    },
    {
      name: 'has the upstream that a route names',
      input: {
        routes:
          'routes: [{ name: app, upstream: other, authenticate: [staff], authorize: [{ allow: all }] }]',
        envoy: ENVOY,
      },
      want: [/^routes\[0\]\.upstream: there is no "other" in envoy\.upstreams$/],
    },
    {
      name: 'has upstreams on TCP',
      input: envoy('{ address: unix:a.sock, ca: ca.pem }'),
      want: [/^envoy\.upstreams\.app\.address: must be HOST:PORT$/],
    },
    {
      name: 'has a key for each certificate',
      input: envoy('{ address: a:1, ca: ca.pem, certificate: c.pem }'),
      want: [/^envoy\.upstreams\.app: set both "certificate" and "key"$/],
    },
    {
      name: 'has upstreams with a CA',
      input: envoy('{ address: a:1 }'),
      want: [/^envoy\.upstreams\.app\.ca: required, but missing$/],
    },
    {
      name: 'speaks TLS to authz when authz does',
      input: {
        listen:
          'listen: { authz: { address: 0.0.0.0:1, tls: { certificate: c, key: file:k, clientCa: a } } }',
        envoy: ENVOY,
      },
      want: [/^envoy\.authzTls: goes with "listen\.authz\.tls"/],
    },
  ])
})

describe('all problems', () => {
  it('are reported together', () => {
    const got = problemsIn({
      listen: 'listen: { authz: 0.0.0.0:1 }',
      routes:
        'routes: [{ name: app, authenticate: [guest], authorize: [{ allow: a }, { allow: a }] }]',
      envoy: ENVOY.replace('app:', 'other:'),
    })
    assert.equal(got.length, 4, got.join('\n'))
  })
})

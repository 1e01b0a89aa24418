// What a configuration must not say: every cross-check, and every rule of the schema that guards
// something, with the place of the problem. Routes are in parse-routes.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkAll, ENVOY, problemsIn, type Sections } from './sections.ts'

/** One authenticator with this in its `basic`. */
const basic = (text: string): Sections => ({
  authenticators: `authenticators: { staff: { basic: { verify: [{ users: { file: u } }], ${text} } } }`,
})

describe('the key version', () => {
  checkAll([
    {
      name: 'is required in every document',
      input: { version: '' },
      want: [/^version: required, but missing$/],
    },
    { name: 'refuses the version 2', input: { version: 'version: 2' }, want: [/^version: /] },
    { name: 'refuses a string', input: { version: 'version: "1"' }, want: [/^version: /] },
  ])
})

/** The listener. */
const listen = (text: string): Sections => ({
  listen: `listen: { authz: ${text} }`,
})

describe('the key listen.authz', () => {
  const tls = 'tls: { certificate: c, key: file:k, clientCa: a }'
  const NEEDS_TLS = /^listen\.authz: a TCP address that is not loopback needs "tls"/
  checkAll([
    {
      name: 'is required in listen',
      input: { listen: 'listen: {}' },
      want: [/^listen\.authz: required, but missing$/],
    },
    { name: 'accepts a UNIX socket', input: listen('unix:a.sock'), want: [] },
    { name: 'accepts a loopback address', input: listen('127.0.0.1:9001'), want: [] },
    { name: 'accepts IPv6 loopback', input: listen('"[::1]:9001"'), want: [] },
    { name: 'requires TLS for 0.0.0.0', input: listen('0.0.0.0:9001'), want: [NEEDS_TLS] },
    { name: 'requires TLS for [::]', input: listen('"[::]:9001"'), want: [NEEDS_TLS] },
    { name: 'requires TLS for a host name', input: listen('authz:9001'), want: [NEEDS_TLS] },
    {
      name: 'requires TLS for 0.0.0.0 in the long form',
      input: listen('{ address: 0.0.0.0:9001 }'),
      want: [NEEDS_TLS],
    },
    {
      name: 'accepts 0.0.0.0 with TLS',
      input: listen(`{ address: 0.0.0.0:9001, ${tls} }`),
      want: [],
    },
    {
      name: 'accepts 0.0.0.0 with plaintext: true',
      input: listen('{ address: 0.0.0.0:9001, plaintext: true }'),
      want: [],
    },
    {
      name: 'refuses a key in the configuration itself',
      input: listen('{ address: a:1, tls: { certificate: c, key: MIIE, clientCa: a } }'),
      want: [/^listen\.authz\.tls\.key: must be a reference/],
    },
    {
      name: 'requires every key of TLS',
      input: listen('{ address: a:1, tls: { certificate: c } }'),
      want: [/^listen\.authz\.tls\.key: required/, /^listen\.authz\.tls\.clientCa: required/],
    },
    {
      name: 'refuses a mode that is not octal',
      input: listen('{ address: unix:a, mode: "0888" }'),
      want: [/^listen\.authz\.mode: must be an octal file mode/],
    },
    {
      name: 'refuses what is not an address',
      input: listen('nonsense'),
      want: [/^listen\.authz: must be "unix:PATH"/],
    },
  ])
})

describe('the section authenticators', () => {
  checkAll([
    {
      name: 'refuses names that metrics cannot have',
      input: {
        authenticators:
          'authenticators: { "Staff!": { basic: { verify: [] } }, staff: { basic: { verify: [{ users: { file: u } }] } } }',
      },
      want: [/^authenticators\["Staff!"\]: must be 1 to 63 lower-case letters/],
    },
    {
      name: 'refuses an empty list of verifiers',
      input: { authenticators: 'authenticators: { staff: { basic: { verify: [] } } }' },
      want: [/^authenticators\.staff\.basic\.verify: must (?:not be empty|be at least)/],
    },
    { name: 'accepts a realm', input: basic('realm: Kubernetes (staff)'), want: [] },
    {
      name: 'refuses a realm with a quote',
      input: basic(`realm: 'a", Bearer realm="b'`),
      want: [/^authenticators\.staff\.basic\.realm: must be printable ASCII/],
    },
    {
      name: 'refuses a realm with a line end',
      input: basic('realm: "a\\r\\nset-cookie: b"'),
      want: [/^authenticators\.staff\.basic\.realm: must be printable ASCII/],
    },
    { name: 'accepts cacheTtl: 0s', input: basic('cacheTtl: 0s'), want: [] },
    {
      name: 'refuses a cacheTtl that is not a duration',
      input: basic('cacheTtl: ever'),
      want: [/cacheTtl: must be a duration/],
    },
    {
      name: 'accepts bruteForceProtection: false',
      input: basic('bruteForceProtection: false'),
      want: [],
    },
    {
      name: 'refuses bruteForceProtection: true',
      input: basic('bruteForceProtection: true'),
      want: [/^authenticators\.staff\.basic\.bruteForceProtection: /],
    },
    {
      name: 'refuses a lock-out before the back-off',
      input: basic('bruteForceProtection: { user: { attempts: 20, lockAfter: 19 } }'),
      want: [/basic\.bruteForceProtection\.user: must have "attempts" no larger than "lockAfter"/],
    },
    {
      name: 'refuses more than a hundred failures before the lock-out',
      input: basic('bruteForceProtection: { user: { lockAfter: 101 } }'),
      want: [/basic\.bruteForceProtection\.user\.lockAfter: /],
    },
    {
      name: 'refuses a back-off of 0',
      input: basic('bruteForceProtection: { source: { backOff: 0s } }'),
      want: [/basic\.bruteForceProtection\.source\.backOff: must be longer than nothing/],
    },
    {
      name: 'refuses to cache a refusal for longer than the failure counts',
      input: basic('bruteForceProtection: { repeats: { cacheTtl: 2h } }'),
      want: [
        /basic\.bruteForceProtection\.repeats: must have "cacheTtl" no longer than "countInterval"/,
      ],
    },
    { name: 'refuses unknown keys', input: basic('users: x'), want: [/basic\.users: unknown key/] },
  ])
})

/** The `envoy` section with this upstream. */
const envoy = (upstream: string): Sections => ({
  envoy: ENVOY.replace('{ address: 10.0.0.1:443, ca: ca.pem }', upstream),
})

describe('the section envoy', () => {
  checkAll([
    { name: 'is accepted when it is complete', input: { envoy: ENVOY }, want: [] },
    {
      name: 'requires an upstream for each route',
      input: { envoy: ENVOY.replace('app:', 'other:') },
      want: [/^routes\[0\]\.name: there is no "app" in envoy\.upstreams$/],
    },
    {
      name: 'requires the upstream that a route names',
      input: {
        routes:
          'routes: [{ name: app, upstream: other, authenticate: [staff], authorize: [{ allow: all }] }]',
        envoy: ENVOY,
      },
      want: [/^routes\[0\]\.upstream: there is no "other" in envoy\.upstreams$/],
    },
    {
      name: 'requires a key for each certificate',
      input: envoy('{ address: a:1, ca: ca.pem, certificate: c.pem }'),
      want: [/^envoy\.upstreams\.app: set both "certificate" and "key"$/],
    },
    {
      name: 'requires a CA for an upstream on another machine',
      input: envoy('{ address: a:1 }'),
      want: [/^envoy\.upstreams\.app: needs "ca"/],
    },
    {
      name: 'requires authzTls exactly where listen.authz has TLS',
      input: {
        listen:
          'listen: { authz: { address: 0.0.0.0:1, tls: { certificate: c, key: file:k, clientCa: a } } }',
        envoy: ENVOY,
      },
      want: [/^envoy\.authzTls: goes with "listen\.authz\.tls"/],
    },
  ])
})

describe('all problems of a configuration', () => {
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

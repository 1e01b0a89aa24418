// `tests`: what a test of the rules must not say, and what it is when it says little.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { policyTestsSchema } from '../../src/configuration/policy-tests-schema.ts'
import { checkAll, type Sections } from './sections.ts'

const one = (text: string): Sections => ({ tests: `tests: [{ ${text} }]` })

const request = (text: string): Sections =>
  one(`name: t, request: { host: a, ${text} }, want: { decision: deny }`)

const identity = (text: string): Sections =>
  one(`name: t, request: { host: a }, identity: { ${text} }, want: { decision: deny }`)

const want = (text: string): Sections => one(`name: t, request: { host: a }, want: { ${text} }`)

const at = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^tests\[0\]${path}: ${message}`)

describe('a test', () => {
  checkAll([
    {
      name: 'has a name, a request and a decision that it wants',
      input: one(''),
      want: ['name', 'request', 'want'].map((key) => at(`\\.${key}`, 'required, but missing$')),
    },
    {
      name: 'has a host to ask',
      input: one('name: t, request: {}, want: {}'),
      want: [
        at(String.raw`\.request\.host`, 'required, but missing$'),
        at(String.raw`\.want\.decision`, 'required, but missing$'),
      ],
    },
    {
      name: 'has no other keys',
      input: one(
        'name: t, request: { host: a, url: b }, user: c, want: { decision: deny, body: d }',
      ),
      want: [
        at(String.raw`\.request\.url`, 'unknown key$'),
        at(String.raw`\.want\.body`, 'unknown key$'),
        at(String.raw`\.user`, 'unknown key$'),
      ],
    },
  ])

  it('is of an anonymous GET by default', () => {
    const tests = [{ name: 't', request: { host: 'a' }, want: { decision: 'deny' } }]
    assert.deepEqual(policyTestsSchema.parse(tests), [
      {
        name: 't',
        request: {
          method: 'GET',
          path: '/',
          host: 'a',
          headers: {},
          source: '203.0.113.1',
          serverName: '',
        },
        want: { decision: 'deny' },
      },
    ])
    assert.deepEqual(policyTestsSchema.parse(undefined), [])
  })
})

describe('the request of a test', () => {
  const CREDENTIAL =
    'holds a credential. Credentials must not be in a configuration: set "identity" instead$'
  checkAll([
    {
      name: 'may be one that is refused',
      input: request(`path: 'x/../y', method: get, headers: { X_Remote_User: root, cookie: a=b }`),
      want: [],
    },
    {
      name: 'shows no credential, in any spelling',
      input: request(
        'headers: { Authorization: Bearer x, proxy_authorization: y, DPoP: z, x-forwarded-client-cert: Hash=1, client-cert: c, Client-Cert-Chain: d }',
      ),
      want: [
        'Authorization',
        'proxy_authorization',
        'DPoP',
        'x-forwarded-client-cert',
        'client-cert',
        'Client-Cert-Chain',
      ].map((name) => at(String.raw`\.request\.headers\.${name}`, CREDENTIAL)),
    },
    {
      name: 'has headers that HTTP can carry (hostile)',
      input: request(
        String.raw`headers: { "a\r\nb": c, ":path": /x, "": d, e: "f\r\ng: h", i: ["j", "k\0"], l: [] }`,
      ),
      want: [
        /must be a header name/,
        /must be a header name/,
        /must be a header name/,
        at(String.raw`\.request\.headers\.e`, 'must be one line'),
        at(String.raw`\.request\.headers\.i\[1\]`, 'must be one line'),
        at(String.raw`\.request\.headers\.l`, 'Too small'),
      ],
    },
    {
      name: 'comes from an address, or from an unknown one',
      input: request('source: 2001:db8::1'),
      want: [],
    },
    {
      name: 'does not come from a name',
      input: request('source: 10.0.0.0/8'),
      want: [at(String.raw`\.request\.source`, 'must be an IP address, or ""')],
    },
    {
      name: 'is made at an instant',
      input: request("at: '2026-01-01T08:00:00'"),
      want: [at(String.raw`\.request\.at`, 'must be a date with time and offset')],
    },
    {
      name: 'is made on a day that exists',
      input: request("at: '2026-02-30T08:00:00Z'"),
      want: [at(String.raw`\.request\.at`, 'must be a date with time and offset')],
    },
    {
      name: 'takes a route by its name',
      input: request('route: "My App"'),
      want: [at(String.raw`\.request\.route`, 'must be 1 to 63')],
    },
  ])
})

describe('who asks in a test', () => {
  checkAll([
    {
      name: 'has a name',
      input: identity('groups: [a]'),
      want: [at(String.raw`\.identity\.user`, 'required')],
    },
    {
      name: 'is not an empty name',
      input: identity('user: ""'),
      want: [at(String.raw`\.identity\.user`, 'Too small')],
    },
    {
      name: 'shows no password',
      input: identity('user: a, password: b'),
      want: [at(String.raw`\.identity\.password`, 'unknown key$')],
    },
    {
      name: 'has a certificate by its fields, not a file',
      input: identity('user: a, certificate: alice.pem'),
      want: [at(String.raw`\.identity\.certificate`, 'Invalid input')],
    },
  ])
})

describe('what a test wants', () => {
  checkAll([
    {
      name: 'is one of two decisions',
      input: want('decision: permit'),
      want: [at(String.raw`\.want\.decision`, 'Invalid option')],
    },
    {
      name: 'is an HTTP status',
      input: want('decision: deny, status: 99'),
      want: [at(String.raw`\.want\.status`, 'Too small')],
    },
    {
      name: 'is headers in lower case, or none',
      input: want('decision: allow, headers: { X-Remote-User: a, x-remote-group: [b, c], x: [] }'),
      want: [
        at(String.raw`\.want\.headers\.X-Remote-User`, 'must be a header name in lower case$'),
      ],
    },
    {
      name: 'is what rules in shadow would have decided',
      input: want('decision: deny, shadow: { a: allow, b: failed, c: permit }'),
      want: [at(String.raw`\.want\.shadow\.c`, 'Invalid option')],
    },
  ])
})

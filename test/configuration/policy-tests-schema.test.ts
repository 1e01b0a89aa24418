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

describe('a policy test', () => {
  checkAll([
    {
      name: 'requires a name, a request and an expected decision',
      input: one(''),
      want: ['name', 'request', 'want'].map((key) => at(`\\.${key}`, 'required, but missing$')),
    },
    {
      name: 'requires a host',
      input: one('name: t, request: {}, want: {}'),
      want: [
        at(String.raw`\.request\.host`, 'required, but missing$'),
        at(String.raw`\.want\.decision`, 'required, but missing$'),
      ],
    },
    {
      name: 'refuses unknown keys',
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

  it('is an anonymous GET by default', () => {
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

describe('the request of a policy test', () => {
  const CREDENTIAL =
    'holds a credential. Credentials must not be in a configuration: set "identity" instead$'
  checkAll([
    {
      name: 'accepts a request that will be refused',
      input: request(`path: 'x/../y', method: get, headers: { X_Remote_User: root, cookie: a=b }`),
      want: [],
    },
    {
      name: 'refuses credentials, in any spelling',
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
      name: 'hostile: refuses headers that HTTP cannot carry',
      input: request(
        String.raw`headers: { "a\r\nb": c, ":path": /x, "": d, e: "f\r\ng: h", i: ["j", "k\0"], l: [] }`,
      ),
      want: [
        /must be a header name/,
        /must be a header name/,
        /must be a header name/,
        at(String.raw`\.request\.headers\.e`, 'must be one line'),
        at(String.raw`\.request\.headers\.i\[1\]`, 'must be one line'),
        at(String.raw`\.request\.headers\.l`, 'must (?:not be empty|be at least)'),
      ],
    },
    {
      name: 'accepts a source address',
      input: request('source: 2001:db8::1'),
      want: [],
    },
    {
      name: 'refuses a network as the source',
      input: request('source: 10.0.0.0/8'),
      want: [at(String.raw`\.request\.source`, 'must be an IP address, or ""')],
    },
    {
      name: 'refuses an instant without an offset',
      input: request("at: '2026-01-01T08:00:00'"),
      want: [at(String.raw`\.request\.at`, 'must be a date with time and offset')],
    },
    {
      name: 'refuses a day that does not exist',
      input: request("at: '2026-02-30T08:00:00Z'"),
      want: [at(String.raw`\.request\.at`, 'must be a date with time and offset')],
    },
    {
      name: 'refuses an invalid name of a route',
      input: request('route: "My App"'),
      want: [at(String.raw`\.request\.route`, 'must be 1 to 63')],
    },
  ])
})

describe('the identity of a policy test', () => {
  checkAll([
    {
      name: 'requires a user',
      input: identity('groups: [a]'),
      want: [at(String.raw`\.identity\.user`, 'required')],
    },
    {
      name: 'refuses an empty user',
      input: identity('user: ""'),
      want: [at(String.raw`\.identity\.user`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses a password',
      input: identity('user: a, password: b'),
      want: [at(String.raw`\.identity\.password`, 'unknown key$')],
    },
    {
      name: 'refuses a certificate file',
      input: identity('user: a, certificate: alice.pem'),
      want: [at(String.raw`\.identity\.certificate`, 'must be a mapping, not a text')],
    },
  ])
})

describe('the expected result of a policy test', () => {
  checkAll([
    {
      name: 'refuses an unknown decision',
      input: want('decision: permit'),
      want: [at(String.raw`\.want\.decision`, 'must be one of')],
    },
    {
      name: 'refuses what is not an HTTP status',
      input: want('decision: deny, status: 99'),
      want: [at(String.raw`\.want\.status`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses header names in capitals',
      input: want('decision: allow, headers: { X-Remote-User: a, x-remote-group: [b, c], x: [] }'),
      want: [
        at(String.raw`\.want\.headers\.X-Remote-User`, 'must be a header name in lower case$'),
      ],
    },
    {
      name: 'refuses an unknown decision of a shadow rule',
      input: want('decision: deny, shadow: { a: allow, b: failed, c: permit }'),
      want: [at(String.raw`\.want\.shadow\.c`, 'must be one of')],
    },
  ])
})

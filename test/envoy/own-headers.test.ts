// Headers that a configuration names itself are removed from what callers send before anything reads
// them, whichever route it is that sets them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../src/configuration/schema.ts'
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts'
import { configOf, routesOf } from './edge.ts'
import { isRemovedEarly } from './fields.ts'

const configWith = (...forwards: readonly object[]): Config =>
  configOf('/etc/countersign', {
    authenticators: {
      staff: { apiKey: { file: 'keys.yaml', locations: [{ header: 'X-Api-Key' }] } },
    },
    listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
    issuer: { url: 'https://id.example.org', keys: 'keys' },
    routes: routesOf(forwards.map((forward, index) => ({ name: `app${index}`, forward }))),
    envoy: {
      listener: { address: '0.0.0.0:8443', certificate: 'edge.pem', key: 'edge.key' },
      upstreams: Object.fromEntries(
        forwards.map((_, index) => [`app${index}`, { address: '10.0.0.1:443', ca: 'ca.pem' }]),
      ),
    },
  })

const NAMES = [
  'x-user',
  'x-mail',
  'x-jwt',
  'x-api-key',
  'x-own',
  'x-webauth-email',
  'x-cert-serial',
]

/** Those that are removed because of what the routes forward. */
const removedFor = (...forwards: readonly object[]): readonly string[] => {
  const usual = envoyBootstrap(configWith({}, {}))
  const bootstrap = envoyBootstrap(configWith(...forwards))
  return NAMES.filter((name) => isRemovedEarly(bootstrap, name) && !isRemovedEarly(usual, name))
}

describe('the headers that a configuration names', () => {
  const CASES = [
    { name: 'none', input: [{}], want: [] },
    {
      name: 'those of every route, each once and in lower case',
      input: [
        { set: { 'X-User': 'identity.user', 'X-Mail': '"a"' } },
        {},
        { set: { 'x-user': 'identity.uid' }, assertion: { header: 'X-Jwt', audience: 'a' } },
      ],
      want: ['x-user', 'x-mail', 'x-jwt'],
    },
    {
      name: 'none that are removed anyway',
      input: [
        {
          headers: ['kubernetes', 'grafana'],
          set: { 'X-WEBAUTH-Email': '"a"', 'x-cert-serial': '"b"' },
          assertion: { audience: 'a' },
        },
      ],
      want: [],
    },
    {
      name: 'not the one in which authz finds keys, which it removes itself',
      input: [{ set: { 'x-api-key': '"of ours"', 'x-user': 'identity.user' } }],
      want: ['x-user'],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`are removed early: ${name}`, () => assert.deepEqual(removedFor(...input), want))
  }
})

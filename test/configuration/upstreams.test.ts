import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { parseConfig, type ParseResult } from '../../src/configuration/parse.ts'

const parse = (upstream: object, forward: object = {}): ParseResult =>
  parseConfig(
    '/etc/countersign/countersign.yaml',
    stringify({
      version: 1,
      listen: { authz: 'unix:authz.sock' },
      certificateGrants: { keyring: 'file:grant.keys' },
      authenticators: { staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } } },
      routes: [{ name: 'app', authenticate: ['staff'], authorize: [{ allow: 'all' }], forward }],
      audit: { file: 'audit.jsonl' },
      envoy: {
        listener: { address: '127.0.0.1:8443', certificate: 'edge.pem', key: 'edge.key' },
        signerAddress: 'unix:signer.sock',
        upstreams: { app: upstream },
      },
    }),
  )

const CERTIFICATE = { certificate: { ca: 'kube', subject: { CN: 'identity.user' } } }

describe('upstreams that are accepted', () => {
  const CASES: readonly { name: string; upstream: object; forward?: object }[] = [
    { name: 'HTTP on this machine', upstream: { address: '127.0.0.1:3000' } },
    { name: 'HTTP on localhost', upstream: { address: 'localhost:3000' } },
    { name: 'HTTP on a UNIX socket', upstream: { address: 'unix:/run/app.sock' } },
    { name: 'HTTP with consent', upstream: { address: 'app:3000', plaintext: true } },
    { name: 'TLS', upstream: { address: 'app:3000', ca: 'ca.pem' } },
    {
      name: 'TLS on several addresses with a name',
      upstream: { address: ['10.0.0.1:3000', 'app:3000'], ca: 'ca.pem', serverName: 'app' },
    },
    {
      name: 'TLS on a UNIX socket with a name',
      upstream: { address: 'unix:/run/app.sock', ca: 'ca.pem', serverName: 'app' },
    },
    {
      name: 'health checks',
      upstream: {
        address: ['127.0.0.1:3000', '127.0.0.1:3001'],
        healthCheck: { path: '/healthz' },
      },
    },
    {
      name: 'TLS for certificates of each identity',
      upstream: { address: 'app:3000', ca: 'ca.pem' },
      forward: CERTIFICATE,
    },
  ]
  for (const { name, upstream, forward } of CASES) {
    it(name, () => {
      const result = parse(upstream, forward)
      assert.ok(result.ok, JSON.stringify(result))
    })
  }
})

describe('upstreams that are refused', () => {
  const CASES: readonly { name: string; upstream: object; forward?: object; want: RegExp }[] = [
    {
      name: 'HTTP to another machine',
      upstream: { address: '10.0.0.1:3000' },
      want: /^app: needs "ca", .* set "plaintext: true"/,
    },
    {
      name: 'HTTP to one other machine of several',
      upstream: { address: ['127.0.0.1:3000', '10.0.0.1:3000'] },
      want: /^app: needs "ca"/,
    },
    {
      name: 'a server name without TLS',
      upstream: { address: '127.0.0.1:3000', serverName: 'app' },
      want: /^app\.serverName: is for TLS, which needs "ca"/,
    },
    {
      name: 'plaintext with a CA',
      upstream: { address: 'app:3000', ca: 'ca.pem', plaintext: true },
      want: /^app\.plaintext: contradicts "ca"/,
    },
    {
      name: 'TLS on different hosts without a name',
      upstream: { address: ['10.0.0.1:3000', '10.0.0.2:3000'], ca: 'ca.pem' },
      want: /^app: needs "serverName"/,
    },
    {
      name: 'a certificate without a key',
      upstream: { address: 'app:3000', ca: 'ca.pem', certificate: 'front-proxy.pem' },
      want: /^app: set both "certificate" and "key"/,
    },
    {
      name: 'names of hosts with UNIX sockets',
      upstream: { address: ['localhost:3000', 'unix:/run/app.sock'] },
      want: /^app\.address: names of hosts and UNIX sockets/,
    },
    {
      name: 'a certificate of each identity without TLS',
      upstream: { address: '127.0.0.1:3000' },
      forward: CERTIFICATE,
      want: /^app: needs "ca": a route forwards a client certificate/,
    },
    {
      name: 'health checks where each identity has a certificate',
      upstream: { address: 'app:3000', ca: 'ca.pem', healthCheck: {} },
      forward: CERTIFICATE,
      want: /^app\.healthCheck: has no identity/,
    },
    {
      name: 'no address',
      upstream: { address: [] },
      want: /^app\.address: /,
    },
  ]
  for (const { name, upstream, forward, want } of CASES) {
    it(name, () => {
      const result = parse(upstream, forward)
      assert.ok(!result.ok)
      assert.equal(result.problems.length, 1, JSON.stringify(result.problems))
      const [{ path, message } = { path: '', message: '' }] = result.problems
      assert.match(`${path.replace('envoy.upstreams.', '')}: ${message}`, want)
    })
  }
})

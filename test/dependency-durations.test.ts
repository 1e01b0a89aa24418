// The durations of requests to every kind of server, counted by a running authz in front of servers that answer, refuse,
// fail and are silent.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { startAuthz, type Authz } from '../src/authz.ts'
import { RevocationSources } from '../src/pki/revocation-sources.ts'
import { RequestDurations } from '../src/runtime/request-durations.ts'
import { OPTIONS as OCSP } from './pki/ocsp/asking.ts'
import { answer, Authority, crl, HOUR, NOW, single } from './pki/revoking.ts'
import { statusOf } from './authenticate/certificate/source-conformance.ts'
import { FakeClock } from './fakes/clock.ts'
import { basic, type RequestParts } from './fakes/envoy.ts'
import { EnvoyClient } from './fakes/envoy-client.ts'
import { ldapResponse, startLdapServer } from './fakes/ldap-server.ts'
import { memoryLogger } from './fakes/logger.ts'
import { FAKE_SECRET, silent, startFakeRadius } from './fakes/radius-server.ts'
import { scrape } from './fakes/scraping.ts'
import { startScriptedHttp, type Script } from './servers/scripted-http.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const LIMIT = { timeout: 60_000 }
const NAME = 'countersign_dependency_request_duration_seconds_count'

/** The counts that are not 0, by kind, operation and outcome; the server must be the one of its kind. */
const countsIn = async (
  { admin }: Authz,
  servers: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {}
  for (const [key, value] of await scrape(admin)) {
    if (!key.startsWith(`${NAME}{`) || value === 0) continue
    const labels = Object.fromEntries(
      [...key.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text]),
    )
    const { kind = '', server, operation = '', outcome = '' } = labels
    assert.equal(server, servers[kind], key)
    counts[[kind, operation, outcome].filter((part) => part !== '').join(' ')] = value
  }
  return counts
}

const KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'one',
  alg: 'EdDSA',
  use: 'sig',
}

const ANSWERS: Readonly<Record<string, object>> = {
  '/keys': { keys: [KEY] },
  '/introspect': { active: true, sub: 'alice', username: 'alice', aud: 'api' },
  '/apis/authentication.k8s.io/v1/tokenreviews': {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    status: { authenticated: true, user: { username: 'alice' }, audiences: ['api'] },
  },
  '/apis/authorization.k8s.io/v1/subjectaccessreviews': {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    status: { allowed: true },
  },
  '/token': {
    access_token: 'exchanged',
    token_type: 'Bearer',
    expires_in: 300,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  },
}

const answering: Script = ({ path }) => ({
  body: Buffer.from(JSON.stringify(ANSWERS[path.replace(/\?.*/, '')])),
  headers: { 'content-type': 'application/json' },
})

const document = (origin: string, ldap: number, radius: number) => `
version: 1
listen: { authz: unix:authz.sock, admin: 127.0.0.1:0 }
authenticators:
  directory: { basic: { verify: [{ ldap: { servers: ['ldap://127.0.0.1:${ldap}'], startTls: false, direct: ['uid={user},dc=example'], search: { base: 'dc=example', scope: sub, filter: '(uid={user})' } } }] } }
  codes: { basic: { verify: [{ radius: { servers: [{ host: '127.0.0.1:${radius}', secret: file:radius.secret }], timeout: 500ms, retries: 0 } }] } }
  opaque: { introspection: { issuer: '${origin}', endpoint: '${origin}/introspect', client: { id: authz, secret: file:client.secret }, audiences: [api] } }
  accounts: { tokenReview: { server: '${origin}', token: file:client.secret, audiences: [api] } }
  tokens: { bearer: { issuer: '${origin}', audiences: [api], keys: { url: '${origin}/keys?secret=1' } } }
routes:
  - { name: directory, match: { hosts: [directory.example.org] }, authenticate: [directory], authorize: [{ allow: all }], forward: { headers: kubernetes } }
  - { name: codes, match: { hosts: [codes.example.org] }, authenticate: [codes], authorize: [{ allow: all }], forward: { headers: kubernetes } }
  - name: exchanged
    match: { hosts: [exchanged.example.org] }
    authenticate: [opaque]
    authorize: [{ allow: all }]
    forward: { bearer: { exchange: { issuer: '${origin}', endpoint: '${origin}/token', client: { id: authz, secret: file:client.secret } } } }
  - name: service
    match: { hosts: [service.example.org] }
    authenticate: [accounts]
    apiServer: { server: '${origin}', token: file:client.secret }
    authorize: [{ allow: api, subjectAccessReview: true }]
    forward: { headers: impersonation, bearer: { clientCredentials: { issuer: '${origin}', endpoint: '${origin}/token', client: { id: authz, secret: file:client.secret } } } }
  - { name: tokens, match: { hosts: [tokens.example.org] }, authenticate: [tokens], authorize: [{ allow: all }], forward: { headers: kubernetes } }
state: { sqlite: state.db }
audit: { file: audit.jsonl }
log: { level: error }
`

const write = async (folder: TemporaryFolder, text: string): Promise<string> => {
  await writeFile(folder.file('radius.secret'), FAKE_SECRET, { mode: 0o600 })
  await writeFile(folder.file('client.secret'), 'a-secret', { mode: 0o600 })
  await writeFile(folder.file('countersign.yaml'), text)
  return folder.file('countersign.yaml')
}

const as = (host: string, password = 'right'): RequestParts => ({
  host,
  headers: [['authorization', basic('alice', password)]],
})

const withToken = (host: string): RequestParts => ({
  host,
  headers: [['authorization', 'Bearer opaque-token']],
})

describe('the durations of requests to servers', LIMIT, () => {
  it('are counted by kind, server, operation and outcome', async () => {
    await using folder = await temporaryFolder()
    await using http = await startScriptedHttp(answering)
    await using radius = await startFakeRadius()
    await using ldap = await startLdapServer((request) => ldapResponse(request, 0))
    const file = await write(folder, document(http.origin, ldap.port, radius.port))
    await using authz = await startAuthz(file)
    using client = new EnvoyClient(authz.address)
    for (const request of [
      as('directory.example.org'),
      as('codes.example.org'),
      as('codes.example.org', 'wrong'),
      withToken('exchanged.example.org'),
      withToken('service.example.org'),
    ]) {
      await client.check(request)
    }
    const servers = {
      ldap: `ldap://127.0.0.1:${ldap.port}`,
      radius: `127.0.0.1:${radius.port}`,
      introspection: `${http.origin}/introspect`,
      'token-review': http.origin,
      'access-review': http.origin,
      'token-exchange': `${http.origin}/token`,
      'client-credentials': `${http.origin}/token`,
      'key-set': `${http.origin}/keys`,
      sqlite: folder.file('state.db'),
    }
    const counts = await countsIn(authz, servers)
    const ofState = Object.entries(counts).filter(([key]) => key.startsWith('sqlite '))
    assert.ok(ofState.length > 0)
    assert.ok(ofState.every(([key]) => key.endsWith(' answered')))
    const remaining = Object.fromEntries(
      Object.entries(counts).filter(([key]) => !key.startsWith('sqlite ')),
    )
    assert.deepEqual(remaining, {
      'ldap connect answered': 1,
      'ldap bind answered': 1,
      'ldap search answered': 1,
      'radius access-request answered': 2,
      'introspection answered': 1,
      'token-review answered': 1,
      'access-review answered': 1,
      'token-exchange answered': 1,
      'client-credentials answered': 1,
      'key-set answered': 1,
    })
  })

  it('are counted as failed where a server fails or is silent', async () => {
    await using folder = await temporaryFolder()
    await using http = await startScriptedHttp(() => ({ status: 503 }))
    await using radius = await startFakeRadius(silent)
    await using ldap = await startLdapServer(() => 'end')
    const file = await write(folder, document(http.origin, ldap.port, radius.port))
    await using authz = await startAuthz(file)
    using client = new EnvoyClient(authz.address)
    for (const request of [
      as('directory.example.org'),
      as('codes.example.org'),
      withToken('exchanged.example.org'),
      withToken('service.example.org'),
    ]) {
      await client.check(request)
    }
    const servers = {
      ldap: `ldap://127.0.0.1:${ldap.port}`,
      radius: `127.0.0.1:${radius.port}`,
      introspection: `${http.origin}/introspect`,
      'token-review': http.origin,
      'key-set': `${http.origin}/keys`,
      sqlite: folder.file('state.db'),
    }
    const counts = await countsIn(authz, servers)
    assert.equal(counts['ldap bind failed'], 1)
    assert.equal(counts['introspection failed'], 1)
    assert.equal(counts['token-review failed'], 1)
    assert.ok((counts['key-set failed'] ?? 0) >= 1)
    assert.equal(counts['radius access-request failed'], 1)
  })

  it('are counted for OCSP responders and for CRLs', async () => {
    const ca = new Authority()
    const alice = ca.issued()
    const bodies = { ocsp: answer([single(alice)], { signer: ca }), crl: crl(ca, []) }
    await using server = await startScriptedHttp(({ path }) =>
      path === '/down' ? { status: 500 } : { body: path === '/ocsp' ? bodies.ocsp : bodies.crl },
    )
    const clock = new FakeClock(NOW)
    const durations = new RequestDurations(clock)
    using sources = new RevocationSources(clock, memoryLogger().logger, { durations })
    const urls = [`${server.origin}/down`, `${server.origin}/ocsp`]
    assert.equal((await statusOf(sources.ocsp({ ...OCSP, urls }), alice)).outcome, 'good')
    const times = { refresh: { min: 60_000, max: 60_000 }, coolDown: 1_000, timeout: 2_000 }
    const url = new URL(`${server.origin}/ca.crl?key=secret`)
    await sources.crl(url, { ca: undefined, times, maxBytes: 1_000_000 }).current()
    assert.deepEqual(sources.metrics.map(({ read }) => [...read()])[0], [
      { labels: { source: `${server.origin}/ca.crl` }, value: (NOW + HOUR) / 1_000 },
    ])
    const [, answers] = sources.metrics.map(({ read }) => [...read()])
    assert.deepEqual(answers, [{ labels: {}, value: 1 }])
    const counts = [...durations.histogram.read()].flatMap(({ labels, value }) => {
      const { kind, server: name, outcome } = labels
      const count = value.counts.reduce((sum, one) => sum + one, 0)
      return count === 0 ? [] : [`${kind} ${name} ${outcome} ${count}`]
    })
    assert.deepEqual(counts, [
      `ocsp ${server.origin}/down failed 1`,
      `ocsp ${server.origin}/ocsp answered 1`,
      `crl ${server.origin}/ca.crl answered 1`,
    ])
  })
})

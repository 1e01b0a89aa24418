// Keys over HTTPS from a real server: which answers are accepted.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { jsonFetcher } from '../../../src/clients/fetch-json.ts'
import {
  keyFetcher,
  type FetchedKeys,
  type KeySource,
} from '../../../src/authenticate/bearer/key-source.ts'
import { startJwksServer, type JwksServer } from '../../servers/jwks.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { jwksOf, makeKey, type IssuerKey } from './issuing.ts'

let pki: Pki
let ca: Buffer
let server: JwksServer
let key: IssuerKey
before(async () => {
  pki = await createPki()
  ca = await readFile(pki.ca)
  server = await startJwksServer(pki.edge)
  key = await makeKey()
})
after(async () => {
  await server[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})
beforeEach(() => server.answers.clear())

const fetch = async (
  source: KeySource,
  signal = AbortSignal.timeout(5_000),
): Promise<FetchedKeys> => await keyFetcher(source, jsonFetcher(ca))(signal)

const direct = (): KeySource => ({ kind: 'url', url: `${server.origin}/keys` })
const DISCOVERY = '/.well-known/openid-configuration'

describe('keys at a URL', () => {
  it('are fetched by a GET request', async () => {
    server.answers.set('/keys', { body: jwksOf(key) })
    const { keys, ignored, maxAge } = await fetch(direct())
    assert.equal(keys.candidates('k1', 'ES256').length, 1)
    assert.deepEqual([ignored, maxAge], [[], undefined])
  })

  const AGES = [
    { control: 'max-age=600', want: 600_000 },
    { control: 'public, Max-Age="600", must-revalidate', want: 600_000 },
    { control: 'max-age=600', age: '100', want: 500_000 },
    { control: 'max-age=600', age: '700', want: 0 },
    { control: 'max-age=600', age: 'x', want: 600_000 },
    { control: 'no-cache', want: 0 },
    { control: 'no-store, max-age=600', want: 0 },
    { control: 's-maxage=600', want: undefined },
    { control: 'max-age=-1', want: undefined },
    { control: 'max-age=x', want: undefined },
    { control: 'public', want: undefined },
  ]
  for (const { control, age, want } of AGES) {
    it(`are good for ${want} with "${control}" and an age of ${age}`, async () => {
      const headers = { 'cache-control': control, ...(age === undefined ? {} : { age }) }
      server.answers.set('/keys', { body: jwksOf(key), headers })
      assert.equal((await fetch(direct())).maxAge, want)
    })
  }
})

describe('an answer with keys that is not accepted', () => {
  const FAULTS = [
    { name: 'not found', answer: { status: 404, body: '{"keys":[]}' }, why: /answered 404/ },
    { name: 'a fault', answer: { status: 500, body: '{"keys":[]}' }, why: /answered 500/ },
    { name: 'no content', answer: { status: 204, body: '' }, why: /answered 204/ },
    { name: 'a page', answer: { body: '<html>' }, why: /sent no JSON object/ },
    { name: 'nothing', answer: { body: '' }, why: /sent no JSON object/ },
    { name: 'a list', answer: { body: '[]' }, why: /sent no JSON object/ },
    { name: 'keys twice', answer: { body: '{"keys":[],"keys":[]}' }, why: /sent no JSON object/ },
    { name: 'another object', answer: { body: '{}' }, why: /is not a JSON Web Key Set/ },
    {
      name: 'a huge document',
      answer: { body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` },
      why: /sent more than 262144 bytes/,
    },
    {
      name: 'compressed bytes',
      answer: {
        body: gzipSync('{"keys":[]}').toString('latin1'),
        headers: { 'content-encoding': 'gzip' },
      },
      why: /sent content-encoding gzip/,
    },
    {
      name: 'a document that is cut short',
      answer: { body: '{"keys":[', headers: { 'content-length': '100', connection: 'close' } },
      why: /cannot be fetched/,
    },
  ]
  for (const { name, answer, why } of FAULTS) {
    it(`is refused as a key set: ${name}`, async () => {
      server.answers.set('/keys', answer)
      // The deadline ends an answer that is shorter than its Content-Length.
      await assert.rejects(fetch(direct(), AbortSignal.timeout(1_000)), { message: why })
    })
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it(`a redirection by ${status}, which is not followed`, async () => {
      server.answers.set('/keys', { status, headers: { location: '/moved' }, body: jwksOf(key) })
      server.answers.set('/moved', { body: jwksOf(key) })
      const earlier = server.requests.length
      await assert.rejects(fetch(direct()), { message: new RegExp(`answered ${status}`) })
      assert.deepEqual(server.requests.slice(earlier), ['/keys'])
    })
  }

  it('one that is too slow', async () => {
    server.answers.set('/keys', { body: jwksOf(key), after: new Promise(() => {}) })
    await assert.rejects(fetch(direct(), AbortSignal.timeout(100)), {
      message: /\/keys cannot be fetched: .*timeout/,
    })
  })

  it('one under a certificate of an authority that is not trusted', async () => {
    server.answers.set('/keys', { body: jwksOf(key) })
    const earlier = server.requests.length
    await assert.rejects(
      keyFetcher(direct(), jsonFetcher(undefined))(AbortSignal.timeout(5_000)),
      /cannot be fetched: unable to verify/,
    )
    assert.equal(server.requests.length, earlier)
  })

  it('one under a certificate for another name', async () => {
    await using other = await startJwksServer(pki.alice)
    other.answers.set('/keys', { body: jwksOf(key) })
    const source = { kind: 'url', url: `${other.origin}/keys` } as const
    await assert.rejects(fetch(source), /cannot be fetched: .*(IP|purpose|altname)/)
    assert.deepEqual(other.requests, [])
  })

  it('none at all', async () => {
    const gone = await startJwksServer(pki.edge)
    await gone.stop()
    const source = { kind: 'url', url: `${gone.origin}/keys` } as const
    await assert.rejects(fetch(source), /ECONNREFUSED/)
  })
})

describe('discovery', () => {
  const publish = (path: string, document: unknown): void => {
    server.answers.set(`${path}${DISCOVERY}`, { body: JSON.stringify(document) })
    server.answers.set('/keys', { body: jwksOf(key) })
  }

  const GOOD = [
    { name: 'without a path', path: '', issuer: '' },
    { name: 'with a slash', path: '', issuer: '/' },
    { name: 'with a path', path: '/realms/staff', issuer: '/realms/staff' },
    { name: 'with a path and a slash', path: '/realms/staff', issuer: '/realms/staff/' },
  ]
  for (const { name, path, issuer } of GOOD) {
    it(`finds the keys of an issuer ${name}`, async () => {
      const id = `${server.origin}${issuer}`
      publish(path, { issuer: id, jwks_uri: `${server.origin}/keys` })
      assert.equal((await fetch({ kind: 'discovery', issuer: id })).keys.size, 1)
    })
  }

  interface Fault {
    readonly name: string
    readonly document: (origin: string) => unknown
    readonly why: RegExp
  }
  const keysAt = (jwks_uri: unknown) => (origin: string) => ({ issuer: origin, jwks_uri })
  const FAULTS: readonly Fault[] = [
    {
      name: 'of another issuer',
      document: (origin) => ({ issuer: 'https://other', jwks_uri: `${origin}/keys` }),
      why: /is of another issuer: "https:\/\/other"/,
    },
    {
      name: 'of the issuer with a slash',
      document: (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/keys` }),
      why: /is of another issuer/,
    },
    {
      name: 'of no issuer',
      document: (origin) => ({ jwks_uri: `${origin}/keys` }),
      why: /is of another issuer/,
    },
    { name: 'without keys', document: keysAt(undefined), why: /names no jwks_uri/ },
    { name: 'with a list of addresses', document: keysAt(['x']), why: /names no jwks_uri/ },
    { name: 'with a path for an address', document: keysAt('/keys'), why: /is not a URL/ },
    { name: 'with a file', document: keysAt('file:///etc/passwd'), why: /must begin with https/ },
    { name: 'without TLS', document: keysAt('http://example.org/keys'), why: /must begin with/ },
    {
      name: 'without TLS on loopback',
      document: keysAt('http://127.0.0.1:1/keys'),
      why: /jwks_uri that is not https/,
    },
    {
      name: 'with a password',
      document: keysAt('https://a:b@127.0.0.1/keys'),
      why: /no user, no password/,
    },
  ]
  for (const { name, document, why } of FAULTS) {
    it(`does not accept a discovery document ${name}`, async () => {
      publish('', document(server.origin))
      const earlier = server.requests.length
      const source = { kind: 'discovery', issuer: server.origin } as const
      await assert.rejects(fetch(source), { message: why })
      assert.deepEqual(server.requests.slice(earlier), [DISCOVERY])
    })
  }
})

describe('an address that is not suitable for keys', () => {
  const CASES = [
    'http://login.example.org',
    'http://127.0.0.1.example.org',
    'http://localhost.example.org',
    'ftp://127.0.0.1',
    'file:///etc/keys.json',
    'login.example.org',
    '',
    'https://user@login.example.org',
    'https://:secret@login.example.org',
    'https://login.example.org#fragment',
  ]
  for (const url of CASES) {
    it(`is refused at the start: ${url}`, () => {
      for (const source of [
        { kind: 'url', url } as const,
        { kind: 'discovery', issuer: url } as const,
      ]) {
        assert.throws(() => keyFetcher(source, jsonFetcher(ca)), { code: 'configuration-invalid' })
      }
    })
  }

  it('is an issuer with a query', () => {
    const source = { kind: 'discovery', issuer: 'https://login.example.org?x=y' } as const
    assert.throws(() => keyFetcher(source, jsonFetcher(ca)), { message: /has a query/ })
  })

  for (const url of ['http://127.0.0.1:1', 'http://[::1]:1', 'http://localhost:1', 'https://x']) {
    it(`is not ${url}`, () => {
      assert.ok(keyFetcher({ kind: 'url', url }, jsonFetcher(ca)))
    })
  }
})

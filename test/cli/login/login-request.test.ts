// What names a login: which issuers there can be, and which requests are the same.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { issuerOf, nameOf, type LoginRequest } from '../../../src/cli/login/login-request.ts'
import { typed, wordsOf } from '../../../src/cli/login/options.ts'

describe('the issuer of a login request', () => {
  const GOOD: readonly { text: string; want: string }[] = [
    { text: 'https://id.example.org', want: 'https://id.example.org' },
    { text: 'https://id.example.org/', want: 'https://id.example.org' },
    { text: 'HTTPS://ID.example.org:443', want: 'https://id.example.org' },
    { text: 'https://id.example.org/realms/a', want: 'https://id.example.org/realms/a' },
    { text: 'https://id.example.org/realms/a/', want: 'https://id.example.org/realms/a/' },
    { text: 'http://localhost:8080', want: 'http://localhost:8080' },
    { text: 'http://127.0.0.1:8080/x', want: 'http://127.0.0.1:8080/x' },
    { text: 'http://[::1]:8080', want: 'http://[::1]:8080' },
  ]
  for (const { text, want } of GOOD) {
    it(`can be ${text}`, () => {
      assert.equal(issuerOf(text), want)
    })
  }

  const BAD: readonly { text: string; says: RegExp }[] = [
    { text: 'id.example.org', says: /is not a URL/ },
    { text: '', says: /is not a URL/ },
    { text: 'http://id.example.org', says: /would be sent in the clear/ },
    { text: 'http://localhost.example.org', says: /would be sent in the clear/ },
    { text: 'http://127.0.0.1.example.org', says: /would be sent in the clear/ },
    { text: 'file:///etc/passwd', says: /would be sent in the clear/ },
    {
      text: 'https://id.example.org/.well-known/openid-configuration',
      says: /give the value of its "issuer"/,
    },
    { text: 'https://id.example.org/?a=b', says: /more than host and path/ },
    { text: 'https://id.example.org/#a', says: /more than host and path/ },
    { text: 'https://alice:secret@id.example.org', says: /more than host and path/ },
  ]
  for (const { text, says } of BAD) {
    it(`cannot be ${text === '' ? 'empty' : text}`, () => {
      assert.throws(() => issuerOf(text), { code: 'usage', message: says })
    })
  }
})

describe('the file name of a login request', () => {
  const request: LoginRequest = { issuer: 'https://id.example.org', clientId: 'a' }

  it('is valid on every file system, and reveals nothing', () => {
    assert.match(nameOf(request), /^[0-9a-f]{64}$/)
  })

  it('is unique to the request, however its parts are joined', () => {
    const all: readonly LoginRequest[] = [
      request,
      { ...request, clientId: 'ab' },
      { ...request, scope: 'openid' },
      { ...request, scope: 'openid b' },
      { ...request, scope: 'openid', resource: 'b' },
      { ...request, resource: 'openid' },
      { ...request, audience: 'openid' },
      { ...request, resource: 'b', audience: 'openid' },
      { ...request, issuer: 'https://id.example.org/a' },
    ]
    assert.equal(new Set(all.map(nameOf)).size, all.length)
  })
})

describe('the command line of a login request', () => {
  it('yields the request again', () => {
    const request = {
      issuer: 'https://id.example.org',
      clientId: "it's",
      scope: 'openid email',
      resource: 'urn:x',
      audience: 'y',
    }
    const access = { ca: '/etc/my ca.pem', clientSecretFile: '/etc/secret' }
    assert.equal(
      typed(['countersign', 'login', ...wordsOf(request, access)]),
      "countersign login --issuer=https://id.example.org '--client-id=it'\\''s' '--scope=openid email' --resource=urn:x --audience=y '--ca=/etc/my ca.pem' --client-secret-file=/etc/secret",
    )
  })

  it('omits options that have their default', () => {
    const request = { issuer: 'https://id.example.org', clientId: 'countersign-cli' }
    assert.deepEqual(wordsOf(request, {}), ['--issuer=https://id.example.org'])
  })
})

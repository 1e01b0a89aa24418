// The `revocation` section: its defaults, and what it refuses.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { revocationSchema } from '../../src/pki/revocation-schema.ts'

describe('a revocation section', () => {
  it('denies by default unless a certificate is known to be good', () => {
    const { chain, prefer, unknown, unavailable } = revocationSchema.parse({ denied: {} })
    assert.deepEqual([chain, prefer, unknown, unavailable], ['all', 'ocsp', 'deny', 'deny'])
  })

  it('has defaults for OCSP', () => {
    const { ocsp } = revocationSchema.parse({ ocsp: { aia: true } })
    assert.deepEqual(ocsp, {
      urls: [],
      aia: true,
      hosts: [],
      responders: [],
      hash: 'sha1',
      nonce: 'optional',
      skew: 60_000,
      maxAge: 300_000,
      cacheTtl: 3_600_000,
      timeout: 3_000,
      coolDown: 5_000,
    })
  })

  it('has defaults for CRLs', () => {
    const { crl } = revocationSchema.parse({ crl: { urls: ['http://crl.example.org/ca.crl'] } })
    assert.deepEqual(crl, {
      files: [],
      urls: ['http://crl.example.org/ca.crl'],
      distributionPoints: false,
      hosts: [],
      refresh: { min: 60_000, max: 3_600_000 },
      skew: 60_000,
      grace: 0,
      maxBytes: 67_108_864,
      timeout: 10_000,
      coolDown: 10_000,
    })
  })

  const urls = (url: string): object => ({ ocsp: { urls: [url] } })
  const cases: readonly (readonly [name: string, section: object, message: RegExp])[] = [
    ['an empty section', {}, /at least one of "denied", "ocsp" and "crl"/],
    ['OCSP without a responder', { ocsp: {} }, /needs "urls" or "aia: true"/],
    ['CRLs without a source', { crl: {} }, /needs "files", "urls" or "distributionPoints: true"/],
    [
      'hosts of OCSP where certificates do not name responders',
      { ocsp: { urls: ['http://ocsp.example.org'], hosts: ['x'] } },
      /has "hosts"/,
    ],
    [
      'hosts of CRLs where certificates do not name them',
      { crl: { files: ['a'], hosts: ['x'] } },
      /has "hosts"/,
    ],
    [
      'a host with a port',
      { ocsp: { aia: true, hosts: ['ocsp.example.org:80'] } },
      /without a port/,
    ],
    ['a host in upper case', { ocsp: { aia: true, hosts: ['OCSP.example.org'] } }, /lower case/],
    ['an LDAP URL', urls('ldap://example.org/'), /http:\/\/ or https:\/\//],
    ['a URL with a user', urls('http://user@example.org/'), /without user/],
    ['a URL with a fragment', urls('http://example.org/#a'), /fragment/],
    ['a host in place of a URL', urls('ocsp.example.org'), /http:\/\/ or https:\/\//],
    [
      'a lower bound above the upper one',
      { crl: { files: ['a'], refresh: { min: '2h' } } },
      /"min"/,
    ],
    ['a misspelt key', { ocsp: { aia: true, failOpen: true } }, /failOpen/],
    [
      'an unknown value of `unavailable`',
      { denied: {}, unavailable: 'ignore' },
      /unavailable|deny/,
    ],
  ]
  for (const [name, section, message] of cases) {
    it(`refuses ${name}`, () => {
      const result = revocationSchema.safeParse(section)
      assert.match(
        JSON.stringify(result.error?.issues),
        new RegExp(message.source.replaceAll('"', '\\\\"')),
      )
    })
  }
})

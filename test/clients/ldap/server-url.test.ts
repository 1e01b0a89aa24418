// The URLs of directory servers.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readServerUrl } from '../../../src/clients/ldap/server-url.ts'

describe('the URL of a server', () => {
  const GOOD: Readonly<Record<string, readonly [host: string, port: number, ldaps: boolean]>> = {
    'ldap://ad.example.org': ['ad.example.org', 389, false],
    'ldaps://ad.example.org': ['ad.example.org', 636, true],
    'ldaps://ad.example.org:3269/': ['ad.example.org', 3269, true],
    'ldap://127.0.0.1:3890': ['127.0.0.1', 3890, false],
    'ldaps://[::1]:6360': ['::1', 6360, true],
  }
  for (const [url, [host, port, ldaps]] of Object.entries(GOOD)) {
    it(`may be ${url}`, () => assert.deepEqual(readServerUrl(url), { url, host, port, ldaps }))
  }
  const BAD = [
    '',
    'ad.example.org',
    'http://ad.example.org',
    'ldapi://%2Frun%2Fldapi',
    'ldap://',
    'ldap:///dc=example',
    'ldap://ad.example.org/dc=example',
    'ldap://ad.example.org?x',
    'ldap://user:secret@ad.example.org',
    'ldap://ad.example.org:99999',
    'ldap://a b',
  ]
  for (const url of BAD) {
    it(`cannot be "${url}"`, () => assert.equal(readServerUrl(url), undefined))
  }
})

// What callers prove: what of it is for another request, and which spellings of a URI are the same.

import type { Members } from '../../authenticate/bearer/proving.ts'
import type { RequestOptions } from '../../servers/client.ts'
import { HOST } from '../site.ts'

/** A host whose callers know it by another port. */
export const PORTED = 'ports.example.org'

/** Proofs that are not about the request: claims and header that differ, and the request. */
export const ABOUT: readonly {
  readonly name: string
  readonly claims?: Members
  readonly header?: Members
  readonly request?: RequestOptions
}[] = [
  { name: 'another method', claims: { htm: 'POST' } },
  { name: 'the method in lower case', claims: { htm: 'get' } },
  { name: 'another path', claims: { htu: `https://${HOST}/admin` } },
  {
    name: 'a path that ends in a slash',
    claims: { htu: `https://${HOST}/a/` },
    request: { path: '/a' },
  },
  { name: 'another host', claims: { htu: 'https://other.example.org/' } },
  { name: 'a parent domain of the host', claims: { htu: 'https://example.org/' } },
  { name: 'another port', claims: { htu: `https://${HOST}:8443/` } },
  { name: 'the http scheme', claims: { htu: `http://${HOST}/` } },
  { name: 'a URI with a query', claims: { htu: `https://${HOST}/?` } },
  { name: 'a URI with a user', claims: { htu: `https://${HOST}@${HOST}/` } },
  { name: 'no URI (htu)', claims: { htu: undefined } },
  { name: 'another token', claims: { ath: 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo' } },
  { name: 'no token (ath)', claims: { ath: undefined } },
  { name: 'an earlier iat', claims: { iat: 1 } },
  { name: 'a later iat', claims: { iat: 4_000_000_000 } },
  { name: 'no time (iat)', claims: { iat: undefined } },
  { name: 'this request, but without jti', claims: { jti: undefined } },
  { name: 'this request, but with another typ', header: { typ: 'JWT' } },
  {
    name: 'the request in X-Original headers of the caller',
    claims: { htu: `https://${HOST}/admin` },
    request: { headers: [['X-Original-URL', '/admin']] },
  },
  {
    name: 'the host in X-Forwarded-Host of the caller',
    claims: { htu: 'https://other.example.org/' },
    request: { headers: [['X-Forwarded-Host', 'other.example.org']] },
  },
]

/** Requests, and spellings of their URIs that count. */
export const PATHS: readonly {
  readonly name: string
  readonly path: string
  readonly htu: string
  readonly host?: string
}[] = [
  {
    name: 'a query in the request, which htu leaves out',
    path: '/a?b=c&d',
    htu: `https://${HOST}/a`,
  },
  { name: 'an empty path', path: '/', htu: `https://${HOST}` },
  { name: 'the default port of https', path: '/', htu: `https://${HOST}:443/` },
  { name: 'the host in another case', path: '/', htu: 'HTTPS://API.example.org/' },
  {
    name: 'the default port of https, in Host',
    path: '/',
    htu: `https://${HOST}/`,
    host: `${HOST}:443`,
  },
  {
    name: 'a port of its own',
    path: '/',
    htu: `https://${PORTED}:8443/`,
    host: `${PORTED}:8443`,
  },
  {
    name: 'a port that a proxy in front of Envoy removed from Host',
    path: '/',
    htu: `https://${PORTED}:8443/`,
    host: PORTED,
  },
  { name: 'encoded characters', path: '/a%20b/%C3%BC', htu: `https://${HOST}/a%20b/%C3%BC` },
  { name: 'hexadecimal digits in another case', path: '/%c3%bc', htu: `https://${HOST}/%C3%BC` },
  { name: 'characters encoded unnecessarily', path: '/%7Eal%69ce', htu: `https://${HOST}/~alice` },
  { name: 'characters not encoded', path: '/~alice', htu: `https://${HOST}/%7ealice` },
  { name: 'delimiters as they are', path: '/a;b=c,d/@e', htu: `https://${HOST}/a;b=c,d/@e` },
  { name: 'delimiters encoded', path: '/a%3Bb%2Cc', htu: `https://${HOST}/a%3bb%2cc` },
  { name: 'dot segments', path: '/x/../a/./b', htu: `https://${HOST}/x/../a/./b` },
  { name: 'dot segments, resolved by the caller', path: '/x/../a', htu: `https://${HOST}/a` },
]

/** Paths, and URIs that are other ones. */
export const APART: readonly (readonly [path: string, htu: string])[] = [
  ['/a%3Bb', `https://${HOST}/a;b`],
  ['/a;b', `https://${HOST}/a%3Bb`],
  ['/a/b', `https://${HOST}/a%2Fb`],
  ['/A', `https://${HOST}/a`],
  ['/a%2520b', `https://${HOST}/a%20b`],
]

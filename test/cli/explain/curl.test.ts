// curl command lines: each request is the one that curl 7.88 sends.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readCurl, type CurlRequest } from '../../../src/cli/explain/curl.ts'
import { basic } from '../../fakes/envoy.ts'

const U = 'http://app.example.org'

type Want = Partial<Omit<CurlRequest, 'headers'>> & {
  /** Those that matter; `undefined` for one that must not be there. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

const CASES: readonly { name: string; args: readonly string[]; want: Want }[] = [
  {
    name: 'a plain URL',
    args: [`${U}/x`],
    want: {
      method: 'GET',
      scheme: 'http',
      host: 'app.example.org',
      path: '/x',
      headers: { accept: '*/*', 'user-agent': 'curl', authorization: undefined },
    },
  },
  {
    name: 'a URL without scheme and path',
    args: ['app.example.org:8080?q'],
    want: { host: 'app.example.org:8080', path: '/?q', scheme: 'http' },
  },
  {
    name: 'options after the URL, in clusters',
    args: [`${U}/`, '-skXDELETE'],
    want: { method: 'DELETE' },
  },
  {
    name: 'a cluster that ends in an option with a value',
    args: ['-skX', 'PUT', `${U}/`],
    want: { method: 'PUT' },
  },
  { name: 'arguments after --', args: ['-s', '--', `${U}/y`], want: { path: '/y' } },
  {
    name: 'a method in lower case, as curl sends it',
    args: ['-X', 'delete', U],
    want: { method: 'delete' },
  },
  {
    name: 'data',
    args: ['-d', 'x', U],
    want: { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  },
  { name: 'data that looks like an option', args: ['-d', '-x', U], want: { method: 'POST' } },
  {
    name: 'data and a method',
    args: ['-d', 'x', '-X', 'DELETE', `${U}?q=1`],
    want: { method: 'DELETE', path: '/?q=1' },
  },
  {
    name: 'JSON',
    args: ['--json', '{}', U],
    want: {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    },
  },
  {
    name: 'JSON with a type of its own',
    args: ['-H', 'content-type: text/x', '--json', '{}', U],
    want: { headers: { 'content-type': 'text/x' } },
  },
  { name: 'HEAD, and a method that wins', args: ['-I', '-X', 'GET', U], want: { method: 'GET' } },
  {
    name: 'a form',
    args: ['-F', 'a=b', U],
    want: { method: 'POST', headers: { 'content-type': 'multipart/form-data' } },
  },
  {
    name: 'a user',
    args: ['-u', 'alice:pa:ss', U],
    want: { headers: { authorization: basic('alice', 'pa:ss') } },
  },
  {
    name: 'the last of two users',
    args: ['-u', 'alice:x', '-ufoo:bar', U],
    want: { headers: { authorization: basic('foo', 'bar') } },
  },
  {
    name: 'a user in the URL',
    args: ['http://al%40ice:p%3Aw@app.example.org/x'],
    want: { host: 'app.example.org', headers: { authorization: basic('al@ice', 'p:w') } },
  },
  {
    name: 'a user without a password in the URL',
    args: ['http://us@app.example.org/'],
    want: { headers: { authorization: basic('us', '') } },
  },
  {
    name: '-u in addition to a user in the URL',
    args: ['-u', 'o:p', 'http://u:v@app.example.org/'],
    want: { headers: { authorization: basic('o', 'p') } },
  },
  {
    name: 'a bearer token',
    args: ['-u', 'a:b', '--oauth2-bearer', 'tok', U],
    want: { headers: { authorization: 'Bearer tok' } },
  },
  {
    name: 'an Authorization header before -u',
    args: ['-u', 'a:b', '-H', 'Authorization: Bearer x', U],
    want: { headers: { authorization: 'Bearer x' } },
  },
  {
    name: 'an Authorization header that is removed after -u',
    args: ['-u', 'a:b', '-H', 'Authorization:', U],
    want: { headers: { authorization: undefined } },
  },
  {
    name: 'empty, removed and replaced headers',
    args: ['-H', 'X-Empty;', '-H', 'Accept:', '-H', 'User-Agent: me', '-A', 'other', U],
    want: { headers: { 'x-empty': '', accept: undefined, 'user-agent': 'me' } },
  },
  {
    name: 'another Host header',
    args: ['-H', 'Host: other.example', U],
    want: { host: 'other.example', hostname: 'app.example.org', headers: { host: undefined } },
  },
  {
    name: 'cookies',
    args: ['-b', 'a=1', '-b', 'c=2', U],
    want: { headers: { cookie: 'a=1;c=2' } },
  },
  {
    name: 'a Cookie header before -b',
    args: ['-b', 'a=1', '-H', 'Cookie: z=1', U],
    want: { headers: { cookie: 'z=1' } },
  },
  {
    name: 'referer and compression',
    args: ['-e', 'http://r', '--compressed', U],
    want: {
      headers: {
        referer: 'http://r',
        'accept-encoding': 'deflate, gzip, br, zstd',
      },
    },
  },
  { name: 'dot segments', args: [`${U}/a/../b/./c/%2e%2e/d`], want: { path: '/b/c/%2e%2e/d' } },
  { name: 'dot segments at the end', args: [`${U}/..%2f../x/..`], want: { path: '/..%2f../' } },
  {
    name: 'dot segments with --path-as-is',
    args: ['--path-as-is', `${U}/a/../b//c`],
    want: { path: '/a/../b//c' },
  },
  {
    name: 'segments that only look like dot segments',
    args: [`${U}/a%20b;c=/..;x/`],
    want: { path: '/a%20b;c=/..;x/' },
  },
  { name: 'backslashes', args: [`${U}/a\\..\\b`], want: { path: '/a\\..\\b' } },
  { name: 'bytes that are not ASCII', args: [`${U}/ä`], want: { path: '/%c3%a4' } },
  { name: 'unnecessary percent-encoding', args: [`${U}/%7Ea/%41`], want: { path: '/%7Ea/%41' } },
  { name: 'brackets with -g', args: ['-g', `${U}/[1]{a}`], want: { path: '/[1]{a}' } },
  {
    name: 'an IPv6 address',
    args: ['https://[2001:db8::1]:6443/x'],
    want: { host: '[2001:db8::1]:6443', hostname: '2001:db8::1', scheme: 'https' },
  },
  {
    name: 'a client certificate',
    args: ['--cert', 'me.pem:secret', '--key', 'me.key', U],
    want: { certificate: 'me.pem' },
  },
  {
    name: 'a client certificate with a colon',
    args: ['-E', 'a\\:b.pem', U],
    want: { certificate: 'a:b.pem' },
  },
  {
    name: 'the form that browsers copy',
    args: [
      `${U}/api?x=1`,
      '-X',
      'POST',
      '-H',
      'accept: */*',
      '-b',
      'sid=1',
      '-H',
      'sec-ch-ua: "C";v="1"',
      '--data-raw',
      '{"a":1}',
      '--compressed',
      '--insecure',
    ],
    want: {
      method: 'POST',
      path: '/api?x=1',
      headers: { cookie: 'sid=1', 'sec-ch-ua': '"C";v="1"' },
    },
  },
  {
    name: 'the form that kubectl -v=9 prints',
    args: [
      '-v',
      '-XGET',
      '-H',
      'Accept: application/json;as=Table',
      '-H',
      'User-Agent: kubectl/v1.37',
      'https://10.0.0.1:6443/api/v1/pods?limit=500',
    ],
    want: {
      method: 'GET',
      host: '10.0.0.1:6443',
      path: '/api/v1/pods?limit=500',
      headers: { 'user-agent': 'kubectl/v1.37' },
    },
  },
  {
    name: 'options without an effect on the request',
    args: [
      '-sSfLi4',
      '-o',
      'out',
      '-w',
      '%{http_code}',
      '--resolve',
      'a:1:2',
      '--connect-to',
      '::b:1',
      '-m',
      '5',
      '--http1.1',
      '--cacert',
      'ca',
      U,
    ],
    want: { method: 'GET', path: '/' },
  },
]

describe('a curl command line with', () => {
  for (const { name, args, want } of CASES) {
    it(`${name} yields the request that curl sends`, () => {
      const got = readCurl(['curl', ...args])
      const headers = Object.fromEntries(got.headers)
      const { headers: lines = {}, ...parts } = want
      assert.partialDeepStrictEqual({ ...got }, parts)
      for (const [header, value] of Object.entries(lines)) {
        assert.equal(headers[header], value, header)
      }
    })
  }

  it('a repeated header keeps both', () => {
    const { headers } = readCurl(['curl', '-H', 'X-A: 1', '-H', 'x-a: 2', U])
    assert.deepEqual(
      headers.filter(([name]) => name === 'x-a'),
      [
        ['x-a', '1'],
        ['x-a', '2'],
      ],
    )
  })
})

// Requests of clients that have proven nothing, by what they do to authz.

import { randomBytes, randomUUID } from 'node:crypto'
import { hostileRequests } from '../../test/check/hostile/requests.ts'
import { HEADERS_ROUTE, userNames } from '../site.ts'
import { CLIENT, ISSUER_HOST, OPEN_HOST } from './configuration.ts'

/** A request over HTTP/2, its pseudo-headers among the headers; several values are several lines. */
export interface SentRequest {
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

/** What is sent again and again. */
export interface RequestKind {
  readonly name: string
  /** Makes the request of that number: what is random differs from one to the next. */
  readonly request: (index: number) => SentRequest
}

/** A login that has begun: what a form of it is sent with. */
export interface BegunLogin {
  readonly path: string
  readonly cookie: string
  /** Its hidden fields. */
  readonly fields: Readonly<Record<string, string>>
}

const at = (
  authority: string,
  path: string,
  headers: SentRequest['headers'] = {},
  method = 'GET',
): SentRequest => ({
  headers: {
    ':method': method,
    ':scheme': 'https',
    ':authority': authority,
    ':path': path,
    ...headers,
  },
})

const API = '/api/v1/namespaces/team-a/pods'

const toApi = (headers: SentRequest['headers'] = {}): SentRequest =>
  at(HEADERS_ROUTE.host, API, headers)

const authorized = (value: string): SentRequest => toApi({ authorization: value })

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const garbageToken = (): string => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: 'https://login.example.org',
    aud: 'bench',
    sub: 'x',
    exp: 4_000_000_000,
    jti: randomUUID(),
  }
  return `${encode({ alg: 'ES256', kid: 'k' })}.${encode(claims)}.${randomBytes(64).toString('base64url')}`
}

// Envoy counts pseudo-headers, and adds some lines of its own.
const SIZE = { target: 8_192, headers: 56_000, lines: 80 }

/** One of the requests of the tests of bounds, on a host of the bench. */
const hostile = (name: string, host: string, path?: string): SentRequest => {
  const found = hostileRequests(SIZE).find((one) => one.name === name)?.request
  if (found === undefined) throw new Error(`no hostile request "${name}"`)
  const headers: Record<string, string[]> = {}
  for (const [header, value] of found.headers ?? []) {
    // HTTP/2 has neither of them (RFC 9113 §8.2.2).
    if (header === 'connection' || header === 'upgrade') continue
    headers[header] = [...(headers[header] ?? []), String(value)]
  }
  return at(host, path ?? found.path ?? '/', headers)
}

/** Where an application sends browsers, with as much state as it may have. */
export const authorizationPath = (): string => {
  const url = new URL('/authorize', `https://${ISSUER_HOST}`)
  url.search = new URLSearchParams({
    client_id: CLIENT.id,
    redirect_uri: CLIENT.redirect,
    response_type: 'code',
    scope: 'openid',
    code_challenge: randomBytes(32).toString('base64url'),
    code_challenge_method: 'S256',
    state: 'x'.repeat(1_500),
    nonce: randomBytes(380).toString('base64url'),
  }).toString()
  return `${url.pathname}${url.search}`
}

const page = { accept: 'text/html' }

/** Every kind that is sent as whole requests. */
export const requestKinds = (login: BegunLogin): readonly RequestKind[] => {
  const fixed = (request: SentRequest) => () => request
  const [known = ''] = userNames(1)
  return [
    { name: 'no credential', request: fixed(toApi()) },
    { name: 'an unknown user', request: () => authorized(basic(randomUUID(), 'x')) },
    { name: 'a wrong password', request: () => authorized(basic(known, randomUUID())) },
    {
      name: 'an opaque token, introspection',
      request: () => authorized(`Bearer ${randomBytes(32).toString('base64url')}`),
    },
    { name: 'a JWT with a wrong signature', request: () => authorized(`Bearer ${garbageToken()}`) },
    ...[
      'a query of ";"',
      'a query of names that are encoded',
      'subprotocols without a name',
      'cookies without a name',
      'lines of different names',
    ].map((name) => ({ name, request: fixed(hostile(name, HEADERS_ROUTE.host)) })),
    {
      name: 'a path of runs of combining marks',
      request: fixed(hostile('a path, of runs of combining marks', OPEN_HOST)),
    },
    {
      name: 'a path of many segments',
      request: fixed(hostile('a path, of many segments', OPEN_HOST)),
    },
    { name: 'a target of 40 KB', request: fixed(at(OPEN_HOST, `/${'a/'.repeat(20_000)}`)) },
    {
      name: 'thousands of header lines',
      request: fixed(toApi({ 'x-many': Array.from({ length: 2_000 }, () => 'v') })),
    },
    { name: 'GET /authorize', request: () => at(ISSUER_HOST, authorizationPath(), page) },
    { name: 'GET /device', request: () => at(ISSUER_HOST, '/device', page) },
    { name: 'GET /logout', request: () => at(ISSUER_HOST, '/logout', page) },
    { name: 'POST /login, an unknown user', request: () => loginForm(login) },
  ]
}

const loginForm = ({ path, cookie, fields }: BegunLogin): SentRequest => {
  const body = new URLSearchParams({ ...fields, user: randomUUID(), password: 'x' }).toString()
  const form = {
    cookie,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
    origin: `https://${ISSUER_HOST}`,
  }
  return { ...at(ISSUER_HOST, path, form, 'POST'), body }
}

/** What is begun, and left so. */
export interface HeldKind {
  readonly name: string
  /** The head of a request whose body does not come; absent where no request is sent. */
  readonly begun?: SentRequest
}

/** Every kind that is left unfinished. */
export const HELD_KINDS: readonly HeldKind[] = [
  {
    name: 'POST /token, half sent',
    begun: at(
      ISSUER_HOST,
      '/token',
      { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '1000' },
      'POST',
    ),
  },
  { name: 'idle connections' },
]

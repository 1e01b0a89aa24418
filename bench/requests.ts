// The requests that the bench sends: those of a web console for Kubernetes, once as the HTTP/1.1
// that a browser's proxy sends to Envoy, once as the CheckRequest that Envoy makes of that.

import { join } from 'node:path'
import type { MethodDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { encodeFields } from './load/hpack.ts'
import { GROUPS, HEADERS_ROUTE, PASSWORD, type PublishedRoute } from './site.ts'
import type { Expectation } from './expectation.ts'

/** Something to send, and what must come back. */
export interface Exchange {
  readonly bytes: Buffer
  readonly expectation: Expectation
}

type Header = readonly [name: string, value: string]

/** Which credential a request carries: everyone's password, what is shown, or none. */
export type Credential = { readonly user: string } | Shown | 'none'

/** A credential as it travels. */
export interface Shown {
  readonly headers?: readonly Header[]
  /** A further cookie, `name=value`. */
  readonly cookie?: string
  /** The client certificate of the connection, PEM. */
  readonly certificate?: string
}

// Every rule set allows them.
const PATHS: readonly string[] = [
  '/api/v1/namespaces/team-a/pods?limit=500&resourceVersion=0',
  '/apis/apps/v1/namespaces/team-a/deployments?limit=500',
  '/api/v1/namespaces/team-a/services/frontend',
  '/apis/batch/v1/namespaces/team-b/cronjobs/nightly-report',
  '/api/v1/namespaces/team-b/events?fieldSelector=involvedObject.name%3Dnightly-report',
]

// Sessions of other applications under the same domain, which the browser sends all the same.
const COOKIE = [
  'ui-theme=dark',
  'ui-locale=en-GB',
  '_session=b7c1e0f2a94d4c5f8e6d3b2a1908f7e6d5c4b3a2918070605f4e3d2c1b0a9f8e',
  '_csrf=9f1d7c35e2b84a60a7d3c9e15b2f4806d1e3a5c7f9b80214',
  'wiki_sid=s%3AwQ3kT9vLr2XbN7mYc5Za8Hd1Jf4Ge6Up.0oKiSlM2nRqBtVxWyCzEaDhFjGkLpOuI',
  'chat_rc_uid=Kq7vR2mXc9LtY4wBn; chat_rc_token=Zp8sD3fGh5JkL1qW2eR4tY6uI7oP9aS0',
  'table-columns=name,namespace,status,age,node',
].join('; ')

const headersOf = (host: string, credential: Credential): readonly Header[] => [
  ...credentialLines(credential),
  [
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
  ],
  ['accept', 'application/json, text/plain, */*'],
  ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['referer', `https://${host}/console/workloads?namespace=team-a`],
  ['cookie', cookiesOf(credential)],
  ['sec-ch-ua', '"Chromium";v="143", "Not A(Brand";v="24"'],
  ['sec-fetch-dest', 'empty'],
  ['sec-fetch-mode', 'cors'],
  ['sec-fetch-site', 'same-origin'],
]

const cookiesOf = (credential: Credential): string =>
  credential !== 'none' && 'cookie' in credential ? `${COOKIE}; ${credential.cookie}` : COOKIE

const credentialLines = (credential: Credential): readonly Header[] => {
  if (credential === 'none') return []
  if ('user' in credential) return [['authorization', basic(credential.user)]]
  return credential.headers ?? []
}

const basic = (user: string): string =>
  `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`

/** The path of a request, with its query. */
export const pathOf = (index: number): string => PATHS[index % PATHS.length] ?? '/'

/** Makes a request, numbered and with a credential. */
export type Encode = (index: number, credential: Credential) => Buffer

/** Encodes requests as a keep-alive HTTP/1.1 client sends them. */
export const httpEncoder =
  ({ host }: PublishedRoute = HEADERS_ROUTE): Encode =>
  (index, credential) => {
    const headers: readonly Header[] = [['host', host], ...headersOf(host, credential)]
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
    return Buffer.from(`GET ${pathOf(index)} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }

/** Encodes requests as header blocks of HTTP/2. */
export const http2Encoder =
  ({ host }: PublishedRoute = HEADERS_ROUTE): Encode =>
  (index, credential) =>
    encodeFields([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', host],
      [':path', pathOf(index)],
      ...headersOf(host, credential),
    ])

// The complete messages rather than our subset: a request has fields that we have to skip.
const shipped = join(import.meta.dirname, '../node_modules/@grpc/grpc-js-xds/deps')

interface AuthorizationService {
  readonly Check: MethodDefinition<object, object>
}

let loadedCheck: AuthorizationService['Check'] | undefined

/** Loaded once: it takes a tenth of a second, and every route has an encoder. */
const loadCheck = (): AuthorizationService['Check'] => {
  if (loadedCheck !== undefined) return loadedCheck
  const loaded = loadSync('envoy/service/auth/v3/external_auth.proto', {
    keepCase: true,
    includeDirs: ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) =>
      join(shipped, name),
    ),
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the file declares
  const { Check } = loaded['envoy.service.auth.v3.Authorization'] as unknown as AuthorizationService
  loadedCheck = Check
  return Check
}

/** What differs between checks of one route. */
export interface CheckForm {
  /** The path of the request of that number. */
  readonly pathFor?: (index: number) => string
  /** `header_map` instead of `headers`: encode_raw_headers of Envoy's filter. */
  readonly rawHeaders?: boolean
}

interface RequestTarget {
  readonly route: PublishedRoute
  readonly path: string
}

/** Encodes CheckRequests as gRPC messages, the five bytes of their prefix included. */
export const checkEncoder = (
  route: PublishedRoute = HEADERS_ROUTE,
  { pathFor = pathOf, rawHeaders = true }: CheckForm = {},
): Encode => {
  const { requestSerialize } = loadCheck()
  return (index, credential) => {
    const attributes = attributesOf(index, credential, {
      route,
      path: pathFor(index),
      rawHeaders,
    })
    const message = requestSerialize({ attributes })
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    return Buffer.concat([prefix, message])
  }
}

const CALLER = '198.51.100.23'

const attributesOf = (
  index: number,
  credential: Credential,
  { route, path, rawHeaders }: Required<Omit<CheckForm, 'pathFor'>> & RequestTarget,
): object => {
  const { host, name } = route
  // Envoy's stream ids and request ids are random; these differ as much and are the same each time.
  const streamId = String(10_000_000_000_000_000_000n + BigInt(index) * 982_451_653n)
  const requestId = `${(index * 2_654_435_761).toString(16).padStart(8, '0').slice(-8)}-7c1d-4b2e-9f3a-5d6e7f801234`
  const lines: readonly Header[] = [
    [':authority', host],
    [':path', path],
    [':method', 'GET'],
    [':scheme', 'https'],
    ...headersOf(host, credential),
    ['x-forwarded-for', CALLER],
    ['x-forwarded-proto', 'https'],
    ['x-envoy-external-address', CALLER],
    ['x-request-id', requestId],
  ]
  return {
    source: {
      ...socket(CALLER, 40_000 + (index % 20_000)),
      ...(credential !== 'none' && 'certificate' in credential
        ? { certificate: encodeURIComponent(credential.certificate ?? '') }
        : {}),
    },
    destination: socket('192.0.2.10', 8_443),
    request: {
      time: { seconds: 1_790_000_000 + index, nanos: 123_456_000 },
      http: {
        id: streamId,
        method: 'GET',
        ...(rawHeaders
          ? {
              header_map: {
                headers: lines.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
              },
            }
          : { headers: Object.fromEntries(lines) }),
        path,
        host,
        scheme: 'https',
        size: -1,
        protocol: 'HTTP/1.1',
      },
    },
    context_extensions: { 'countersign.route': name },
    metadata_context: {},
    route_metadata_context: {},
    tls_session: { sni: host },
  }
}

const socket = (address: string, port: number): object => ({
  address: { socket_address: { address, port_value: port } },
})

/** Many different exchanges, of the users in turn; together they make one round after the other. */
export const exchanges = (
  count: number,
  users: readonly string[],
  encode: Encode,
  expectationOf: (user: string) => Expectation = (user) => ({
    outcome: 'allow',
    user,
    groups: GROUPS,
  }),
  credentialOf: (user: string, index: number) => Credential = (user) => ({ user }),
): readonly Exchange[] =>
  Array.from({ length: count }, (_, index) => {
    const user = users[index % users.length] ?? ''
    return { bytes: encode(index, credentialOf(user, index)), expectation: expectationOf(user) }
  })

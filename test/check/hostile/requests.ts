// Requests without a valid credential, each as costly as one kind of content can make it within the limits of phase 1.

import { basic, type HeaderLines, type RequestParts } from '../../fakes/envoy.ts'

/** A request, by what is costly about it. */
export interface HostileRequest {
  readonly name: string
  readonly request: RequestParts
}

/** How large the requests are. */
export interface HostileSize {
  /** Bytes of the request target. */
  readonly target: number
  /** Bytes of header fields. */
  readonly headers: number
  /** Lines of header fields. */
  readonly lines: number
}

/** As large as a request may be by default, behind an Envoy with its own defaults. */
export const LARGEST: HostileSize = { target: 8_192, headers: 60_000, lines: 100 }

/** A text of that length, or a little shorter. */
const fill = (piece: string, size: number): string =>
  piece.repeat(Math.max(Math.floor(size / piece.length), 0))

/** All of them. */
export const hostileRequests = (size: HostileSize = LARGEST): readonly HostileRequest[] =>
  Object.entries({
    ...ofPlainRequests,
    ...ofQueries(size),
    ...ofPaths(size),
    ...ofLists(size),
    ...ofCredentials(size),
    ...ofHeaderLines(size),
  }).map(([name, request]) => ({ name, request }))

type Requests = Readonly<Record<string, RequestParts>>

const ofPlainRequests: Requests = {
  'no credential': {},
  'an unknown user': { headers: [['authorization', basic('nobody', 'x')]] },
  'a long host': { host: fill('a.', 60_000) },
  'a host of ports': { host: fill(':1', 60_000) },
  'a long method': { method: fill('A-', 60_000) },
}

const ofQueries = ({ target }: HostileSize): Requests => {
  const query = (piece: string, before = '/x?'): RequestParts => ({
    path: before + fill(piece, target - before.length),
  })
  const some = (piece: string, before: string, count = 250): RequestParts => ({
    path: before + fill(piece, Math.min(target - before.length, count * piece.length)),
  })
  return {
    'a query of "&"': query('&'),
    'a query of ";"': query(';'),
    'a query of "?"': query('?'),
    'a query of "&;"': query('&;'),
    'a query of "[;"': query('[;'),
    'a query of brackets': query('a[b]=1;'),
    'a query of names that resemble an API key': query('api_kez;'),
    'a query of such names behind the key': query('api_kez;', '/x?api_key=x&'),
    'a query of such names, encoded': query('api%5fke[;'),
    'a query of such names, encoded twice': query('%2561%2570%2569;'),
    'a query of such names, as parameters': some('api%20k&', '/x?api_key=x&'),
    'a query of names that are encoded': query('?%20/%61', '/x?api_key=x&'),
    'a query of "%25"': query('%25'),
    'a query of blanks': query('+'),
    'a query of parameters for a rule': some('%C3%BC=%C3%BC&', '/public/x?'),
    'a query of one parameter for a rule': query('x', '/public/x?'),
    'a query of names as long as they can be': some('x'.repeat(30).concat('&'), '/public/x?'),
    'a query of parameters for an API server': some('a&', '/api/v1/pods?'),
    'a label selector': query('a%2C', '/api/v1/pods?labelSelector='),
    'a field selector': query('metadata.name=a,', '/api/v1/pods?fieldSelector='),
    'a target that is too long': { path: `/x?${fill('%25', 60_000)}` },
    'a target of "&" that is too long': { path: `/x?${fill('&', 60_000)}` },
  }
}

const PLACES: Readonly<Record<string, string>> = {
  '': '/app/',
  ' that 200 rules refuse by': '/public/',
  ' of an API server': '/api/v1/',
  ' of an OpenAPI document': '/v1.53/containers/',
}

const ofPaths = ({ target }: HostileSize): Requests => {
  const pieces: Readonly<Record<string, string>> = {
    'one letter': 'a',
    'many segments': 'a/',
    'capital letters': 'A/',
    'path parameters': ';',
    'path parameters in segments': ';a/',
    'dots in segments': '.../',
    'segments that globs look for': 'secrets/',
    'texts that globs look for': 'area-1x',
    'combining marks': '%CC%80%CC%B4',
    'runs of combining marks': '%CC%80%CC%B4'.repeat(15).concat('a'),
    'letters that become eighteen': '%EF%B7%BA',
    'letters that become two': '%C4%B0',
    'encoded letters': '%41',
    'names of another route': '%C3%BCber-',
    'what is encoded twice': '%2525',
  }
  return Object.fromEntries(
    Object.entries(PLACES).flatMap(([place, before]) =>
      Object.entries(pieces).map(([what, piece]) => [
        `a path${place}, of ${what}`,
        { path: before + fill(piece, target - before.length) },
      ]),
    ),
  )
}

const WEBSOCKET = ['upgrade', 'websocket'] as const
const NAVIGATION: HeaderLines = [
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-dest', 'document'],
]

const ofLists = ({ headers }: HostileSize): Requests => {
  const list = (
    name: string,
    piece: string,
    more: HeaderLines = [],
    path = '/x',
  ): RequestParts => ({
    path,
    headers: [[name, fill(piece, headers)], ...more],
  })
  const begun = Array.from({ length: 1_000 }, (_, n) => `__Host-countersign-begun-${n}=${n}`)
  const ours = '__Host-countersign=a;'
  const bearer = 'base64url.bearer.authorization.k8s.io.a,,'
  const protocols = 'sec-websocket-protocol'
  return {
    'cookies without a name': list('cookie', ';'),
    'cookies of others': list('cookie', 'a;'),
    'cookies of sessions': list('cookie', ours),
    'cookies of sessions, without a credential': list('cookie', ours, [], '/public/x'),
    'a session among cookies without a name': {
      path: '/public/x',
      headers: [['cookie', `${ours}${fill('; ', headers - 40)}`]],
    },
    'cookies of logins that have begun': {
      headers: [['cookie', begun.join('; ').slice(0, headers)], ...NAVIGATION],
    },
    'options of a connection': list('connection', ','),
    'known options of a connection': list('connection', 'te,'),
    'subprotocols without a name': list(protocols, ',', [WEBSOCKET]),
    'subprotocols of others': list(protocols, 'a,', [WEBSOCKET]),
    'subprotocols of tokens': list(protocols, bearer, [WEBSOCKET]),
    'subprotocols of tokens, without a credential': list(protocols, bearer, [], '/public/x'),
    'media types': list('accept', 'text/'),
    languages: {
      ...list('accept-language', 'a-b;q=0.1,', NAVIGATION),
      method: 'POST',
    },
    'a referring page': list('referer', 'https://x/?&api_kez', [], '/public/x'),
  }
}

const encode = (text: string): string => Buffer.from(text).toString('base64url')

const ofCredentials = ({ headers }: HostileSize): Requests => {
  const authorization = (value: string): RequestParts => ({ headers: [['authorization', value]] })
  const token = (header: string, claims: string): RequestParts =>
    authorization(`Bearer ${encode(header)}.${encode(claims)}.${encode(fill('x', 64))}`)
  const header = '{"alg":"ES256","kid":"k","typ":"at+jwt"}'
  const plausible =
    '"iss":"https://issuer.example.org","aud":"app","sub":"x","exp":4000000000,"iat":1'
  const members = Array.from({ length: 1_000 }, (_, n) => `"${n}":1`)
  const xfcc = (value: string): RequestParts => ({
    headers: [['x-forwarded-client-cert', value.slice(0, headers)]],
  })
  const certificate = '-----BEGIN%20CERTIFICATE-----%0AMIIB%0A-----END%20CERTIFICATE-----%0A'
  const certified = (...lines: HeaderLines): RequestParts => ({
    path: '/certified/x',
    headers: lines,
  })
  const leaf = ['client-cert', ':MIIB:'] as const
  return {
    'blanks behind Basic': authorization(`Basic ${fill(' ', headers)}`),
    'a long name and password': authorization(`Basic ${fill('YTph', 4_096)}`),
    'a name of combining marks': authorization(basic('\u0300\u0334'.repeat(750), 'x')),
    'a name of runs of combining marks': authorization(
      basic('\u0300\u0334'.repeat(15).concat('a').repeat(48), 'x'),
    ),
    'a name of letters that become eighteen': authorization(basic('\ufdfa'.repeat(1_000), 'x')),
    'blanks behind Bearer': authorization(`Bearer ${fill(' ', headers)}`),
    'an opaque token': authorization(`Bearer ${fill('a', 16_384)}`),
    'a token of dots': authorization(`Bearer ${fill('a.', 16_384)}`),
    'a token of open brackets': token(`{"alg":"ES256","a":${fill('[', 4_000)}`, '{}'),
    'a token of many claims': token(header, `{${plausible},${members.join()}}`),
    'a token with a wrong signature': token(header, `{${plausible},"x":"${fill('x', 11_000)}"}`),
    'a long proof of possession': {
      headers: [
        ['authorization', 'DPoP a.b.c'],
        ['dpop', fill('a', headers - 100)],
      ],
    },
    'a long API key': { headers: [['x-api-key', fill('a', headers)]] },
    'a long API key in Authorization': authorization(`ApiKey ${fill('a', headers - 100)}`),
    'XFCC of elements': xfcc(fill('By=,', headers)),
    'XFCC of pairs': xfcc(fill('By=a;', headers)),
    'XFCC of quotes': xfcc(fill(String.raw`By="\"\"";`, headers)),
    'XFCC of escapes': xfcc(`Subject="${fill('\\\\', headers - 20)}`),
    'XFCC of a chain': xfcc(`Chain="${fill(certificate, headers - 20)}"`),
    'XFCC of a long certificate': xfcc(
      `Cert="-----BEGIN%20CERTIFICATE-----%0A${fill('MIIB', headers)}`,
    ),
    'a long Client-Cert': certified(['client-cert', `:${fill('MIIB', headers - 100)}:`]),
    'a long Client-Cert-Chain': certified(leaf, [
      'client-cert-chain',
      fill(':MIIB:,', headers - 100),
    ]),
    'a Client-Cert-Chain of commas': certified(leaf, [
      'client-cert-chain',
      fill(',', headers - 100),
    ]),
    'a certificate of the connection that is none': { peerCertificate: fill(certificate, 60_000) },
  }
}

const ofHeaderLines = ({ headers, lines }: HostileSize): Requests => {
  const each = Math.floor(headers / lines)
  const many = (
    name: (index: number) => string,
    value: (length: number) => string = () => 'v',
    path = '/x',
  ): RequestParts => ({
    path,
    headers: Array.from({ length: lines }, (_, index) => {
      const text = name(index)
      return [text, value(Math.max(each - text.length, 0))]
    }),
  })
  const one = (name: string, piece: string): RequestParts =>
    many(
      () => name,
      (length) => fill(piece, length),
    )
  const user: HeaderLines = [['impersonate-user', 'x']]
  const extra = many((index) => `impersonate-extra-${index}%41${fill('%2d', each - 40)}`)
  return {
    'lines of one name': one('x-a', 'v'),
    'lines of different names': many(
      (index) => `x-${index}`,
      (length) => fill('v', length),
    ),
    'long names that CGI folds': many((index) => fill('X.', each - 8) + String(index)),
    'names that CGI takes for an identity': many(
      (index) => `X.Remote.Extra.${index}`,
      undefined,
      '/public/x',
    ),
    'long names that are removed': many(
      (index) => `x-remote-extra-${fill('a', each - 30)}${index}`,
      undefined,
      '/public/x',
    ),
    'lines of Authorization': one('authorization', 'Basic a'),
    'lines of cookies': one('cookie', 'a;'),
    'lines of connection options': one('connection', 'te,'),
    'lines of subprotocols': one('sec-websocket-protocol', 'a,'),
    'lines of XFCC': one('x-forwarded-client-cert', 'By=a;'),
    'lines of API keys': one('x-api-key', 'a'),
    'lines that CGI takes for API keys': one('X.Api.Key', 'a'),
    'groups to be': { ...one('impersonate-group', 'a'), path: '/api/v1/pods' },
    'encoded keys to be': {
      path: '/api/v1/pods',
      headers: [...user, ...(extra.headers ?? []).slice(1)],
    },
    'a name that is too long': { path: '/public/x', headers: [[fill('.~-', headers), 'v']] },
    'more lines than are accepted': { headers: Array.from({ length: 2_000 }, () => ['x', 'v']) },
    'more bytes than are accepted': { headers: [['x', fill('v', 200_000)]] },
  }
}

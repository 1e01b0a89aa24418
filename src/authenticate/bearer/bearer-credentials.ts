// The locations of a token in a request: `Authorization: Bearer …`; the subprotocol that kube-apiserver reads, for
// browsers, which cannot set headers of a WebSocket; and, where DPoP is configured, `Authorization: DPoP …` (RFC 9449
// §7.1). Strict: one token only.

import type { HeaderLine } from '../../request/header-line.ts'
import { MARK } from '../../request/header-name.ts'
import type { Headers } from '../../request/headers.ts'
import { BEARER_SUBPROTOCOL, subprotocolsBeginning } from '../../request/subprotocols.ts'
import { AUTHORIZATION, type CredentialLocation } from '../../request/credential-location.ts'

/** The bearer token of a request. */
export type BearerCredentials =
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'malformed'; readonly scheme: TokenScheme }
  | { readonly outcome: 'present'; readonly scheme: TokenScheme; readonly token: string }

/** How a token is presented: by itself, or with a proof of possession. */
export type TokenScheme = 'bearer' | 'dpop'

const ABSENT = { outcome: 'absent' } as const

/** Every location of a bearer token. */
export const BEARER_LOCATIONS: readonly CredentialLocation[] = [
  AUTHORIZATION,
  { kind: 'subprotocol', prefix: BEARER_SUBPROTOCOL },
]

/**
 * A token in the query (RFC 6750 §2.3) is never read (RFC 9700 §4.3.2), and a client must not send a token in two
 * locations (RFC 6750 §2): the upstream would receive the one in the query.
 */
export const UNREAD_BEARER_LOCATIONS: readonly CredentialLocation[] = [
  { kind: 'query', name: 'access_token' },
]

/** Longer than what Envoy accepts in one header. */
export const MAX_TOKEN_LENGTH = 16_384

// RFC 9110 §11.4: the scheme is case-insensitive, then at least one space.
const SCHEME = /^(bearer|dpop)(?= |$)/i
// RFC 6750 §2.1: b64token. It has no comma, by which Envoy joins two Authorization lines.
const CREDENTIALS = /^[a-z]+ +([A-Za-z0-9._~+/-]+=*)$/i
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
const BEARER = 'Bearer '

/** Whether a value is one token by RFC 6750 §2.1 that is not too long. */
export const isBearerToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && TOKEN.test(value)

/**
 * Reads the token of a request; a token in both locations is two credentials, and malformed.
 *
 * @param schemes those that the caller can verify. A token of another scheme counts as absent: without its proof, a
 *   token under `DPoP` must not be accepted as a bearer token
 */
export const readBearerCredentials = (
  headers: Headers,
  schemes: readonly TokenScheme[] = ['bearer'],
): BearerCredentials => {
  const authorization = readAuthorization(headers, schemes)
  const subprotocol = readSubprotocols(headers)
  if (subprotocol.outcome === 'absent') return authorization
  return authorization.outcome === 'absent' ? subprotocol : malformed(authorization.scheme)
}

/** Where the token begins in {@link usualTokenLine}. */
export const USUAL_TOKEN_START = BEARER.length
const BEARER_BYTES = Buffer.from(BEARER)

/**
 * The line that has the token as nearly every client writes it, and that alone; `undefined` where
 * {@link readBearerCredentials} has to find out. What is behind `Bearer ` need not be a token.
 */
export const usualTokenLine = (headers: Headers): HeaderLine | undefined => {
  if ((headers.marks & MARK.subprotocols) !== 0) return undefined
  const line = headers.first('authorization')
  return line?.startsWith(BEARER_BYTES) === true ? line : undefined
}

const readAuthorization = (
  headers: Headers,
  schemes: readonly TokenScheme[],
): BearerCredentials => {
  const header = headers.text('authorization')
  if (header === undefined) return ABSENT
  // As nearly every client writes it.
  if (header.startsWith(BEARER) && schemes[0] === 'bearer') {
    const token = header.slice(BEARER.length)
    if (isBearerToken(token)) return { outcome: 'present', scheme: 'bearer', token }
  }
  const name = SCHEME.exec(header)?.[1]?.toLowerCase()
  const scheme = schemes.find((candidate) => candidate === name)
  return scheme === undefined ? ABSENT : present(scheme, CREDENTIALS.exec(header)?.[1])
}

const readSubprotocols = (headers: Headers): BearerCredentials => {
  const offered = subprotocolsBeginning(headers, BEARER_SUBPROTOCOL)
  const [first, ...more] = offered?.found ?? []
  // Without a WebSocket the header has no meaning, and kube-apiserver does not read it either.
  if (first === undefined || !isWebSocket(headers)) return ABSENT
  // A server must select one of the protocols (RFC 6455 §4.2.2), and the token is not a protocol.
  if (more.length > 0 || offered?.others === '') return malformed('bearer')
  const encoded = first.slice(BEARER_SUBPROTOCOL.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer skips invalid characters; only a text that encodes to itself was decoded completely.
  if (bytes.toString('base64url') !== encoded) return malformed('bearer')
  const token = bytes.toString('latin1')
  return present('bearer', isBearerToken(token) ? token : undefined)
}

const isWebSocket = (headers: Headers): boolean =>
  headers.text('upgrade')?.toLowerCase() === 'websocket'

const malformed = (scheme: TokenScheme): BearerCredentials => ({ outcome: 'malformed', scheme })

const present = (scheme: TokenScheme, token: string | undefined): BearerCredentials =>
  token === undefined || token.length > MAX_TOKEN_LENGTH
    ? malformed(scheme)
    : { outcome: 'present', scheme, token }

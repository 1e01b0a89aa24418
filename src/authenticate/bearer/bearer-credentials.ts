// Where a token stands in a request: `Authorization: Bearer …`, or, for browsers that cannot set
// headers on a WebSocket, the subprotocol that kube-apiserver reads; and, where proofs are checked,
// `Authorization: DPoP …` (RFC 9449 §7.1). Strict, and one token only.

import type { Headers } from '../../request/headers.ts'
import { BEARER_SUBPROTOCOL, subprotocolsBeginning } from '../../request/subprotocols.ts'
import { AUTHORIZATION, type CredentialLocation } from '../../request/credential-location.ts'

/** What a request holds, as far as bearer tokens are concerned. */
export type BearerCredentials =
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'malformed'; readonly scheme: TokenScheme }
  | { readonly outcome: 'present'; readonly scheme: TokenScheme; readonly token: string }

/** How a token is shown: by itself, or with a proof that its holder has a key. */
export type TokenScheme = 'bearer' | 'dpop'

const ABSENT = { outcome: 'absent' } as const

/** Everywhere that a bearer token can stand. */
export const BEARER_LOCATIONS: readonly CredentialLocation[] = [
  AUTHORIZATION,
  { kind: 'subprotocol', prefix: BEARER_SUBPROTOCOL },
]

/**
 * A token in the query (RFC 6750 §2.3) is never read (RFC 9700 §4.3.2), and a client must not send one in two places
 * (RFC 6750 §2): the upstream would get what stands in the query.
 */
export const UNREAD_BEARER_LOCATIONS: readonly CredentialLocation[] = [
  { kind: 'query', name: 'access_token' },
]

/** Longer than what Envoy lets through in one header with room for anything else. */
export const MAX_TOKEN_LENGTH = 16_384

// RFC 9110 §11.4: the scheme is case-insensitive, then at least one space.
const SCHEME = /^(bearer|dpop)(?= |$)/i
// RFC 6750 §2.1: b64token. No comma: that is how Envoy joins two Authorization lines.
const CREDENTIALS = /^[a-z]+ +([A-Za-z0-9._~+/-]+=*)$/i
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

/** Whether a value is one token that can stand after `Bearer` (RFC 6750 §2.1), and not too long. */
export const isBearerToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && TOKEN.test(value)

/**
 * Reads the token of a request; one in both places is two credentials, and malformed.
 *
 * @param schemes what the reader can judge. Others are absent: without its proof, a token that was
 *   shown with `DPoP` must not be taken for a bearer token
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

const readAuthorization = (
  headers: Headers,
  schemes: readonly TokenScheme[],
): BearerCredentials => {
  const header = headers.get('authorization')?.toString('latin1') ?? ''
  const name = SCHEME.exec(header)?.[1]?.toLowerCase()
  const scheme = schemes.find((candidate) => candidate === name)
  return scheme === undefined ? ABSENT : present(scheme, CREDENTIALS.exec(header)?.[1])
}

const readSubprotocols = (headers: Headers): BearerCredentials => {
  const offered = subprotocolsBeginning(headers, BEARER_SUBPROTOCOL)
  const [first, ...more] = offered?.found ?? []
  // Elsewhere the header means nothing, and kube-apiserver does not read it either.
  if (first === undefined || !isWebSocket(headers)) return ABSENT
  // A server has to choose one of the protocols (RFC 6455 §4.2.2), and this one is none.
  if (more.length > 0 || offered?.others === '') return malformed('bearer')
  const encoded = first.slice(BEARER_SUBPROTOCOL.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer skips what it cannot read; only a text that encodes to itself was read whole.
  if (bytes.toString('base64url') !== encoded) return malformed('bearer')
  const token = bytes.toString('latin1')
  return present('bearer', isBearerToken(token) ? token : undefined)
}

const isWebSocket = (headers: Headers): boolean =>
  headers.get('upgrade')?.toString('latin1').toLowerCase() === 'websocket'

const malformed = (scheme: TokenScheme): BearerCredentials => ({ outcome: 'malformed', scheme })

const present = (scheme: TokenScheme, token: string | undefined): BearerCredentials =>
  token === undefined || token.length > MAX_TOKEN_LENGTH
    ? malformed(scheme)
    : { outcome: 'present', scheme, token }

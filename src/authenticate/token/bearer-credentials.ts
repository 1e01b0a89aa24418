// Where a bearer token stands in a request: `Authorization: Bearer …`, or, for browsers that cannot
// set headers on a WebSocket, the subprotocol that kube-apiserver reads. Strict, and one token only.

import type { Headers } from '../../request/headers.ts'
import { BEARER_SUBPROTOCOL, offeredSubprotocols } from '../../request/subprotocols.ts'
import { AUTHORIZATION, type Carrier } from '../carrier.ts'

/** What a request holds, as far as bearer tokens are concerned. */
export type BearerCredentials =
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'malformed' }
  | { readonly outcome: 'present'; readonly token: string }

const ABSENT = { outcome: 'absent' } as const
const MALFORMED = { outcome: 'malformed' } as const

/** Everywhere that a bearer token can stand. */
export const BEARER_CARRIERS: readonly Carrier[] = [
  AUTHORIZATION,
  { kind: 'subprotocol', prefix: BEARER_SUBPROTOCOL },
]

/** Longer than what Envoy lets through in one header with room for anything else. */
export const MAX_TOKEN_LENGTH = 16_384

// RFC 9110 §11.4: the scheme is case-insensitive, then at least one space.
const SCHEME = /^bearer(?= |$)/i
// RFC 6750 §2.1: b64token. No comma: that is how Envoy joins two Authorization lines.
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

/** Reads the token of a request; one in both places is two credentials, and malformed. */
export const readBearerCredentials = (headers: Headers): BearerCredentials => {
  const authorization = readAuthorization(headers)
  const subprotocol = readSubprotocols(headers)
  if (subprotocol.outcome === 'absent') return authorization
  return authorization.outcome === 'absent' ? subprotocol : MALFORMED
}

const readAuthorization = (headers: Headers): BearerCredentials => {
  const header = headers.get('authorization')?.toString('latin1')
  if (header === undefined || !SCHEME.test(header)) return ABSENT
  return present(BEARER.exec(header)?.[1])
}

const readSubprotocols = (headers: Headers): BearerCredentials => {
  const offered = offeredSubprotocols(headers)
  const [first, ...more] = offered.filter((protocol) => protocol.startsWith(BEARER_SUBPROTOCOL))
  // Elsewhere the header means nothing, and kube-apiserver does not read it either.
  if (first === undefined || !isWebSocket(headers)) return ABSENT
  // A server has to choose one of the protocols (RFC 6455 §4.2.2), and this one is none.
  if (more.length > 0 || offered.length === 1) return MALFORMED
  const encoded = first.slice(BEARER_SUBPROTOCOL.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer skips what it cannot read; only a text that encodes to itself was read whole.
  if (bytes.toString('base64url') !== encoded) return MALFORMED
  const token = bytes.toString('latin1')
  return present(TOKEN.test(token) ? token : undefined)
}

const isWebSocket = (headers: Headers): boolean =>
  headers.get('upgrade')?.toString('latin1').toLowerCase() === 'websocket'

const present = (token: string | undefined): BearerCredentials =>
  token === undefined || token.length > MAX_TOKEN_LENGTH ? MALFORMED : { outcome: 'present', token }

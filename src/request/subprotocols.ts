// The subprotocols of a WebSocket (RFC 6455 §11.3.4), one of which can be a bearer token.

import type { Headers } from './headers.ts'

/** The header that offers subprotocols. */
export const SUBPROTOCOLS = 'sec-websocket-protocol'

/**
 * How a subprotocol begins that is a bearer token, in base64url without padding
 * (k8s.io/apiserver/pkg/authentication/request/websocket).
 */
export const BEARER_SUBPROTOCOL = 'base64url.bearer.authorization.k8s.io.'

/** What a WebSocket client offers, in its order; several lines are one list. */
export const offeredSubprotocols = (headers: Headers): readonly string[] =>
  headers.lines
    .filter(({ name }) => name === SUBPROTOCOLS)
    .flatMap(({ value }) => value.toString('latin1').split(','))
    .map((protocol) => protocol.trim())

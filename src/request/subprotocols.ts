// The subprotocols of a WebSocket (RFC 6455 §11.3.4), one of which can be a bearer token.

import { MARK } from './header-name.ts'
import type { Headers } from './headers.ts'
import { elementsBeginning, withoutElements } from './list.ts'

/** The header that offers subprotocols. */
export const SUBPROTOCOLS = 'sec-websocket-protocol'

/**
 * How a subprotocol begins that is a bearer token, in base64url without padding
 * (k8s.io/apiserver/pkg/authentication/request/websocket).
 */
export const BEARER_SUBPROTOCOL = 'base64url.bearer.authorization.k8s.io.'

/** Of the subprotocols that a WebSocket client offers. */
interface OfferedSubprotocols {
  /** Those that begin so, in their order. */
  readonly found: readonly string[]
  /** The remaining ones, as a list; empty where there are none. */
  readonly others: string
}

/** What is offered beginning so, and besides; `undefined` where nothing begins so. Several lines are one list. */
export const subprotocolsBeginning = (
  headers: Headers,
  start: string,
): OfferedSubprotocols | undefined => {
  if ((headers.marks & MARK.subprotocols) === 0) return undefined
  const lines = headers.lines.filter(({ name }) => name === SUBPROTOCOLS)
  const list = lines.map(({ text }) => text).join()
  const elements = elementsBeginning(list, ',', start)
  if (elements.length === 0) return undefined
  return {
    found: elements.map(({ text }) => text),
    others: withoutElements(list, ',', elements),
  }
}

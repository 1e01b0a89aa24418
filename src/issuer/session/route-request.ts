// A request below `/.countersign/`, on the host of a route that takes sessions.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SessionConfig } from '../../authenticate/session/schema.ts'

/** A request and its answer. */
export interface RouteRequest {
  /** In lower case, without a port. */
  readonly host: string
  readonly config: SessionConfig
  readonly url: URL
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Sends the browser on (RFC 9110 §15.4.4). */
export const sendOn = ({ response }: Pick<RouteRequest, 'response'>, location: string): void => {
  response.writeHead(303, { location, 'cache-control': 'no-store' }).end()
}

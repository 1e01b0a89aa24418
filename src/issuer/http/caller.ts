// The caller's address and certificate, in headers that Envoy sets and removes from downstream requests. Where another client
// could reach the listener, they are dropped (listener.ts).

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Application } from '../../runtime/http/server.ts'

/** Where the caller is, as Envoy trusts it: an IP address. */
export const SOURCE_HEADER = 'x-countersign-source'

/** The caller's certificate as Envoy verified it, URL-encoded PEM. */
export const CERTIFICATE_HEADER = 'x-countersign-certificate'

/** The part of a request that these functions read. */
export type CallerMessage = Pick<IncomingMessage, 'headers' | 'socket'>

/**
 * The same application for requests of peers that have not proven to be Envoy: what they say of the
 * caller is dropped, so that the caller is the peer itself, without a certificate.
 */
export const withoutCallerHeaders =
  (application: Application): Application =>
  async (path, request, response) => {
    delete request.headers[SOURCE_HEADER]
    delete request.headers[CERTIFICATE_HEADER]
    await application(path, request, response)
  }

/** The address of the caller: from Envoy's header, or else that of the peer. */
export const sourceOf = ({ headers, socket }: CallerMessage): string => {
  const said = headers[SOURCE_HEADER]
  return typeof said === 'string' && isIP(said) !== 0 ? said : (socket.remoteAddress ?? '')
}

/** The caller's certificate, or nothing. */
export const certificateOf = ({ headers }: CallerMessage): string => {
  const said = headers[CERTIFICATE_HEADER]
  return typeof said === 'string' ? said : ''
}

/** Both. */
export const callerOf = (
  message: CallerMessage,
): { readonly source: string; readonly certificate: string } => ({
  source: sourceOf(message),
  certificate: certificateOf(message),
})

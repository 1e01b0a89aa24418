// What Envoy says of the caller in headers of the issuer's requests. It removes what callers send under
// these names; nobody else may reach the listener where that matters (config/issuer-problems.ts).

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** Where the caller is, as Envoy trusts it: an IP address. */
export const SOURCE_HEADER = 'x-countersign-source'

/** The caller's certificate as Envoy verified it, URL-encoded PEM. */
export const CERTIFICATE_HEADER = 'x-countersign-certificate'

/** A request, as far as that is asked. */
export type CallerMessage = Pick<IncomingMessage, 'headers' | 'socket'>

/** Where the caller is: as Envoy says, or else whoever holds the connection. */
export const sourceOf = ({ headers, socket }: CallerMessage): string => {
  const said = headers[SOURCE_HEADER]
  return typeof said === 'string' && isIP(said) !== 0 ? said : (socket.remoteAddress ?? '')
}

/** The caller's certificate, or nothing. */
export const certificateOf = ({ headers }: CallerMessage): string => {
  const said = headers[CERTIFICATE_HEADER]
  return typeof said === 'string' ? said : ''
}

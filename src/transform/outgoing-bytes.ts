// How many bytes of headers an upstream gets, so that too many are refused with words, and not by a
// 431 of Envoy or of the upstream.

import type { Request } from '../request/request.ts'
import type { Forwarding } from './transformer.ts'

type Outgoing = Pick<Forwarding, 'setHeaders' | 'repeatedHeaders'> & {
  readonly removeHeaders: readonly string[]
}

// ": " and the line's end.
const FRAMING = 4
// What Envoy adds: x-request-id, x-forwarded-proto, the addresses of proxies, traces.
const OF_ENVOY = 512

/**
 * The bytes of the request line and of all headers as HTTP/1.1 has them; those of Envoy's own are
 * allowed for.
 *
 * @param most exactness beyond it is asked for, and below it is not
 */
export const outgoingBytes = (request: Request, outgoing: Outgoing, most: number): number => {
  const { setHeaders, repeatedHeaders, removeHeaders } = outgoing
  const { headers, rawPath, query, host } = request
  let ours = OF_ENVOY + rawPath.length + query.length + host.length
  for (const [name, value] of setHeaders) ours += lineBytes(name, value)
  for (const { name, values } of repeatedHeaders) {
    for (const value of values) ours += lineBytes(name, value)
  }
  let theirs = 0
  for (const { name, value } of headers.lines) theirs += name.length + value.length + FRAMING
  if (ours + theirs <= most) return ours + theirs
  const gone = new Set([
    ...removeHeaders,
    ...setHeaders.map(([name]) => name),
    ...repeatedHeaders.map(({ name }) => name),
  ])
  for (const { name, value } of headers.lines) {
    if (gone.has(name)) theirs -= name.length + value.length + FRAMING
  }
  return ours + theirs
}

const lineBytes = (name: string, value: string): number =>
  name.length + Buffer.byteLength(value) + FRAMING

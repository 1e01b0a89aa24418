// How much of headers there is, so that too much is refused with words, and not by a 431 of the
// upstream or a bare 500 of Envoy.

import { Derived } from '../runtime/derived.ts'
import type { Request } from '../request/request.ts'
import type { Forwarding, HeaderPair, RepeatedHeader } from './transformer.ts'

type Outgoing = Pick<Forwarding, 'setHeaders' | 'repeatedHeaders'> & {
  readonly removeHeaders: readonly string[]
}

// ": " and the line's end.
const FRAMING = 4
// What Envoy adds: x-request-id, x-forwarded-proto, the addresses of proxies, traces.
const OF_ENVOY = 512

/**
 * Whether the upstream would get more than `most` bytes of headers, or Envoy would refuse what authz
 * sets.
 *
 * @param later a header that is set afterwards
 */
export const isTooLarge = (
  request: Request,
  outgoing: Outgoing,
  most: number,
  later?: HeaderPair,
): boolean => {
  if (isSurelyFine(request, outgoing, most, later)) return false
  const setHeaders = later === undefined ? outgoing.setHeaders : [...outgoing.setHeaders, later]
  const bytes = bytesOf(setHeaders)
  return (
    overflowsEnvoy(request, setHeaders, bytes, most) ||
    totalBytes(request, { ...outgoing, setHeaders }, bytes, most) > most
  )
}

// No UTF-16 unit takes more bytes as UTF-8.
const MOST_BYTES_OF_UNIT = 3

/** Whether there is little enough even if every character took as many bytes as there can be: nothing is encoded for it. */
const isSurelyFine = (
  { headers, rawPath, query, host }: Request,
  { setHeaders, repeatedHeaders }: Outgoing,
  most: number,
  later: HeaderPair | undefined,
): boolean => {
  const { lines } = headers
  let added = setHeaders.length + LATER_LINES
  let units = rawPath.length + query.length + host.length
  for (const [name, value] of setHeaders) units += name.length + value.length
  for (const { name, values } of repeatedHeaders) {
    if (values.length > FEW) return false
    added += values.length
    for (const value of values) units += name.length + value.length
  }
  if (later !== undefined) {
    added += 1
    units += later[0].length + later[1].length
  }
  const count = lines.length + added
  const bytes =
    units * MOST_BYTES_OF_UNIT + headers.bytes + count * FRAMING + OF_ENVOY + LATER_BYTES
  return count <= ENVOY_LINES && bytes <= most
}

const bytesOf = (headers: readonly HeaderPair[]): number => {
  let bytes = 0
  for (const [name, value] of headers) bytes += lineBytes(name, value)
  return bytes
}

// Envoy's defaults (max_request_headers_kb, max_headers_count), which `envoy generate` writes too.
const ENVOY_BYTES = 61_440
const ENVOY_LINES = 100
// The most of its own that it adds to as many: pseudo-headers, addresses, the request's id.
const OWN_LINES = 16
// The header with the end of the stream, which `check/answer/response.ts` adds.
const LATER_LINES = 1
const LATER_BYTES = 64

/**
 * Envoy looks at what it holds when authz has set its headers and nothing has been removed yet, and
 * answers 500 beyond its limits (measured, 1.40.0: `request_header_limits_reached`). What Lua writes
 * afterwards, the repeated headers, it lets through. An upstream that takes more bytes, or a caller who
 * got through with more lines, shows an Envoy with wider limits.
 */
const overflowsEnvoy = (
  { headers }: Request,
  setHeaders: readonly HeaderPair[],
  setBytes: number,
  most: number,
): boolean => {
  const { lines } = headers
  const bytes = LATER_BYTES + setBytes + headers.bytes + lines.length * FRAMING
  if (bytes > Math.max(ENVOY_BYTES, most)) return true
  if (lines.length + setHeaders.length + LATER_LINES <= ENVOY_LINES) return false
  if (lines.length > ENVOY_LINES + OWN_LINES) return false
  const names = new Set(lines.map(({ name }) => name))
  const added = setHeaders.filter(([name]) => !names.has(name)).length
  return lines.length + added + LATER_LINES > ENVOY_LINES
}

/**
 * The bytes of the request line and of all headers as HTTP/1.1 has them; those of Envoy's own are
 * allowed for. Exact where it is more than `most`, and else no less than it is.
 */
export const outgoingBytes = (request: Request, outgoing: Outgoing, most: number): number =>
  totalBytes(request, outgoing, bytesOf(outgoing.setHeaders), most)

const totalBytes = (
  request: Request,
  outgoing: Outgoing,
  setBytes: number,
  most: number,
): number => {
  const { setHeaders, repeatedHeaders, removeHeaders } = outgoing
  const { headers, rawPath, query, host } = request
  let ours = OF_ENVOY + rawPath.length + query.length + host.length + setBytes
  if (repeatedHeaders.length > 0) ours += repeatedBytes(repeatedHeaders)
  let theirs = headers.bytes + headers.lines.length * FRAMING
  if (ours + theirs <= most) return ours + theirs
  const gone = new Set([
    ...removeHeaders,
    ...setHeaders.map(([name]) => name),
    ...repeatedHeaders.map(({ name }) => name),
  ])
  for (const { name, length } of headers.lines) {
    if (gone.has(name)) theirs -= name.length + length + FRAMING
  }
  return ours + theirs
}

// A user may be in hundreds of groups, and an identity has the same list each time.
const sizes = new Derived<readonly RepeatedHeader[], number>()

// To add up so many takes less than to remember the sum.
const FEW = 8

const repeatedBytes = (headers: readonly RepeatedHeader[]): number => {
  const [first] = headers
  if (first !== undefined && headers.length === 1 && first.values.length <= FEW) return sum(headers)
  const known = sizes.get(headers)
  if (known !== undefined) return known
  const bytes = sum(headers)
  sizes.set(headers, bytes)
  return bytes
}

const sum = (headers: readonly RepeatedHeader[]): number => {
  let bytes = 0
  for (const { name, values } of headers) {
    for (const value of values) bytes += lineBytes(name, value)
  }
  return bytes
}

const lineBytes = (name: string, value: string): number =>
  name.length + Buffer.byteLength(value) + FRAMING

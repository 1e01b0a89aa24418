// What Envoy would say about a request, as far as a test cares.

import assert from 'node:assert/strict'
import { HeaderLine } from '../../src/request/header-line.ts'
import type { CheckAttributes } from '../../src/request/attributes.ts'
import { readRequest, type Request } from '../../src/request/request.ts'

/** Header lines; a string is sent as its UTF-8 bytes. */
export type HeaderLines = readonly (readonly [name: string, value: string | Buffer])[]

/** The parts of a request that tests choose; the rest is plain. */
export type RequestParts = Partial<Omit<CheckAttributes, 'headers' | 'contextExtensions'>> & {
  readonly headers?: HeaderLines
  /** The context extension that names the route. */
  readonly route?: string
}

/** Header lines in the form that the codec gives them. */
export const linesOf = (headers: HeaderLines): readonly HeaderLine[] =>
  headers.map(([name, value]) => HeaderLine.of(name, Buffer.from(value)))

/** What the codec would have decoded. */
export const attributesOf = ({ headers = [], route, ...parts }: RequestParts): CheckAttributes => ({
  sourceAddress: '203.0.113.7',
  sourcePort: 40_000,
  peerCertificate: '',
  method: 'GET',
  path: '/',
  host: 'app.example.org',
  serverName: '',
  ...parts,
  headers: linesOf(headers),
  contextExtensions: new Map(route === undefined ? [] : [['countersign.route', route]]),
})

// The phases behind it are tested with more than it lets through by default, too.
const LIMITS = {
  targetBytes: 1_048_576,
  headerBytes: 1_048_576,
  headerLines: 10_000,
  parameters: 1_000,
}

/** The request that phase 1 yields, with wider limits than can be configured. */
export const requestOf = (parts: RequestParts = {}): Request => {
  const reading = readRequest(attributesOf(parts), { limits: LIMITS })
  assert.equal(reading.outcome, 'read')
  return reading.request
}

/** The value of an Authorization header for HTTP Basic. */
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

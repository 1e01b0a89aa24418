// CheckRequest and CheckResponse on the wire, without the objects that a general codec builds in
// between. The layout is that of proto/envoy/service/auth/v3; test/check/codec.test.ts holds the
// two together.

import type { CheckAttributes } from '../request/attributes.ts'
import { HeaderLine } from '../request/header-line.ts'
import { headerName } from '../request/header-name.ts'
import { Derived } from '../runtime/derived.ts'
import type { HeaderPair, RepeatedHeader } from '../transform/transformer.ts'
import type { AllowAnswer, CheckAnswer, DenyAnswer } from './answer/answer.ts'
import { Familiar, WireReader, type FieldReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/**
 * Decodes the fields that Countersign reads and skips all other fields. Header values are views into `bytes`.
 *
 * Throws if the message is malformed or a string in it is not UTF-8, as an Envoy could send it
 * before the fix of CVE-2023-27488. The caller has to make that an explicit refusal: an RPC that
 * fails leaves the decision to Envoy's `failure_mode_allow`.
 */
export function decodeCheckRequest(bytes: Uint8Array): CheckAttributes {
  const attributes = new Attributes()
  new WireReader(bytes).fields(attributes, readCheckRequest)
  return attributes
}

class Attributes implements CheckAttributes {
  sourceAddress = ''
  sourcePort = 0
  peerCertificate = ''
  method = ''
  path = ''
  host = ''
  readonly headers: HeaderLine[] = []
  readonly contextExtensions = new Map<string, string>()
  serverName = ''
  #headersFrom: 'headers' | 'header_map' | undefined

  addHeader(from: 'headers' | 'header_map', line: HeaderLine): void {
    this.#headersFrom ??= from
    // Envoy fills one of the two. Both would be two accounts of one request.
    if (this.#headersFrom !== from) throw new Error('both headers and header_map are set')
    this.headers.push(line)
  }
}

// A tag below is `field number << 3 | wire type`, so that a field whose wire type is not the
// declared one is an unknown field, as protobuf has it. Wire type 2 has a length, 0 is a varint.

const readCheckRequest: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((1 << 3) | 2)) reader.message(attributes, readAttributeContext)
  else reader.ignore(tag)
}

const readAttributeContext: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((1 << 3) | 2)) reader.message(attributes, readSource)
  else if (tag === ((4 << 3) | 2)) reader.message(attributes, readRequest)
  else if (tag === ((10 << 3) | 2)) readContextExtension(reader, attributes)
  else if (tag === ((12 << 3) | 2)) reader.message(attributes, readTlsSession)
  else reader.ignore(tag)
}

const readSource: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((1 << 3) | 2)) reader.message(attributes, readAddress)
  else if (tag === ((5 << 3) | 2)) attributes.peerCertificate = reader.text()
  else reader.ignore(tag)
}

const readAddress: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((1 << 3) | 2)) reader.message(attributes, readSocketAddress)
  else reader.ignore(tag)
}

const readSocketAddress: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((2 << 3) | 2)) attributes.sourceAddress = reader.familiarText()
  else if (tag === ((3 << 3) | 0)) attributes.sourcePort = reader.uint32()
  else reader.ignore(tag)
}

const readRequest: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((2 << 3) | 2)) reader.message(attributes, readHttpRequest)
  else reader.ignore(tag)
}

const readHttpRequest: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((2 << 3) | 2)) attributes.method = reader.familiarText()
  else if (tag === ((3 << 3) | 2)) readMergedHeader(reader, attributes)
  else if (tag === ((4 << 3) | 2)) attributes.path = reader.text()
  else if (tag === ((5 << 3) | 2)) attributes.host = reader.familiarText()
  else if (tag === ((13 << 3) | 2)) reader.message(attributes, readHeaderMap)
  else reader.ignore(tag)
}

const readTlsSession: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag === ((1 << 3) | 2)) attributes.serverName = reader.familiarText()
  else reader.ignore(tag)
}

// Clients send the same few hundred header names, and what follows from a name is looked up with it.
const HEADER_NAMES = new Familiar(headerName)
const NO_NAME = headerName('')

// Most of a message are header lines: they are read without an object for each while it is read.

const readHeaderMap: FieldReader<Attributes> = (tag, reader, attributes) => {
  if (tag !== ((1 << 3) | 2)) return reader.ignore(tag)
  const end = reader.endOfField()
  let name = NO_NAME
  let start = 0
  let valueEnd = 0
  let rawStart = 0
  let rawEnd = 0
  while (reader.pos < end) {
    const field = reader.uint32()
    if (field === ((1 << 3) | 2)) name = reader.familiar(HEADER_NAMES)
    else if (field === ((3 << 3) | 2)) {
      rawStart = reader.start()
      rawEnd = reader.pos
    } else if (field === ((2 << 3) | 2)) {
      start = reader.textStart()
      valueEnd = reader.pos
    } else reader.ignore(field)
  }
  reader.requireEnd(end)
  const isRaw = rawEnd > rawStart
  if (isRaw && valueEnd > start) throw new Error('both value and raw_value are set')
  const { received } = reader
  attributes.addHeader(
    'header_map',
    isRaw
      ? new HeaderLine(name, received, rawStart, rawEnd)
      : new HeaderLine(name, received, start, valueEnd),
  )
}

// A map is a list of messages, with the key in field 1 and the value in field 2.

function readMergedHeader(reader: WireReader, attributes: Attributes): void {
  const end = reader.endOfField()
  let name = NO_NAME
  let start = 0
  let valueEnd = 0
  while (reader.pos < end) {
    const field = reader.uint32()
    if (field === ((1 << 3) | 2)) name = reader.familiar(HEADER_NAMES)
    else if (field === ((2 << 3) | 2)) {
      start = reader.textStart()
      valueEnd = reader.pos
    } else reader.ignore(field)
  }
  reader.requireEnd(end)
  attributes.addHeader('headers', new HeaderLine(name, reader.received, start, valueEnd))
}

function readContextExtension(reader: WireReader, attributes: Attributes): void {
  const entry = { key: '', value: '' }
  reader.message(entry, readContextExtensionEntry)
  attributes.contextExtensions.set(entry.key, entry.value)
}

const readContextExtensionEntry: FieldReader<{ key: string; value: string }> = (
  tag,
  reader,
  entry,
) => {
  if (tag === ((1 << 3) | 2)) entry.key = reader.familiarText()
  else if (tag === ((2 << 3) | 2)) entry.value = reader.familiarText()
  else reader.ignore(tag)
}

const writer = new WireWriter()

/** Encodes an answer as a CheckResponse. */
export function encodeCheckResponse(answer: CheckAnswer): Buffer {
  if (answer.allow) return encodeAllow(answer)
  writer.begin()
  writeDeny(answer)
  return writer.finish()
}

/** How many bytes of the message are behind the value of a header. */
export type ValuePlaces = Map<HeaderPair, number>

/**
 * Encodes the answer to an allowed check.
 *
 * @param places gets the place of the value of every header that is set
 */
export function encodeAllow(answer: AllowAnswer, places?: ValuePlaces): Buffer {
  writer.begin()
  writeAllow(answer, places)
  return writer.finish()
}

// The writer works back to front: read each function below from its last line to its first. Tags
// are `field number << 3 | wire type` here too.

function writeAllow(answer: AllowAnswer, places: ValuePlaces | undefined) {
  const { setHeaders, removeHeaders, responseHeaders, repeatedHeaders, upstreamSecret } = answer
  if (repeatedHeaders.length > 0 || upstreamSecret !== undefined) writeDynamicMetadata(answer)
  const okResponse = writer.written
  writeHeaders((6 << 3) | 2, responseHeaders, places)
  for (let at = removeHeaders.length - 1; at >= 0; at--) {
    writer.text((5 << 3) | 2, removeHeaders[at] ?? '')
  }
  writeHeaders((2 << 3) | 2, setHeaders, places)
  writer.close((3 << 3) | 2, okResponse)
  writeStatus(0)
}

const PERMISSION_DENIED = 7
const FORBIDDEN = 403

function writeDeny({ grpcStatus, httpStatus, headers, body }: DenyAnswer) {
  const deniedResponse = writer.written
  writer.text((3 << 3) | 2, body)
  writeHeaders((2 << 3) | 2, headers)
  const status = writer.written
  writer.varint((1 << 3) | 0, isWithin(httpStatus, 200, 599) ? httpStatus : FORBIDDEN)
  writer.close((1 << 3) | 2, status)
  writer.close((2 << 3) | 2, deniedResponse)
  // Envoy goes by this code alone: a refusal that carried 0 would be forwarded.
  writeStatus(isWithin(grpcStatus, 1, 16) ? grpcStatus : PERMISSION_DENIED)
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

function writeStatus(code: number) {
  const status = writer.written
  writer.varint((1 << 3) | 0, code)
  writer.close((1 << 3) | 2, status)
}

const OVERWRITE_IF_EXISTS_OR_ADD = 2
const NO_HEADER: HeaderPair = ['', '']

function writeHeaders(tag: number, headers: readonly HeaderPair[], places?: ValuePlaces) {
  for (let at = headers.length - 1; at >= 0; at--) {
    const pair = headers[at] ?? NO_HEADER
    const [name, value] = pair
    const option = writer.written
    // Envoy reads append_action only where append is absent, and before 1.37 not even then
    // (source/extensions/filters/common/ext_authz/ext_authz_grpc_impl.cc, getAppendAction). Both
    // together mean "overwrite" to every version.
    writer.varint((3 << 3) | 0, OVERWRITE_IF_EXISTS_OR_ADD)
    writer.close((2 << 3) | 2, writer.written) // append: BoolValue{false}, a message with no bytes
    const header = writer.written
    places?.set(pair, header)
    writer.text((2 << 3) | 2, value)
    writer.text((1 << 3) | 2, name)
    writer.close((1 << 3) | 2, header)
    writer.close(tag, option)
  }
}

/** `{ headers: { <name>: [<value>, …] }, upstream_secret: <name> }` as a google.protobuf.Struct. */
function writeDynamicMetadata({ repeatedHeaders, upstreamSecret }: AllowAnswer) {
  const metadata = writer.written
  if (upstreamSecret !== undefined) {
    const secret = writer.written
    writer.text((3 << 3) | 2, upstreamSecret) // Value.string_value
    writeStructEntry('upstream_secret', secret)
  }
  if (repeatedHeaders.length > 0) writeRepeatedHeaders(repeatedHeaders)
  writer.close((4 << 3) | 2, metadata) // CheckResponse.dynamic_metadata
}

// A user may be in hundreds of groups, and an identity has the same list each time.
const writtenLists = new Derived<readonly RepeatedHeader[], string>()

function writeRepeatedHeaders(headers: readonly RepeatedHeader[]) {
  const known = writtenLists.get(headers)
  if (known !== undefined) return writer.bytes(known)
  const since = writer.written
  writeRepeatedHeadersAnew(headers)
  writtenLists.set(headers, writer.copy(since))
}

function writeRepeatedHeadersAnew(headers: readonly RepeatedHeader[]) {
  const names = writer.written
  for (const { name, values } of headers.toReversed()) {
    const list = writer.written
    for (const value of values.toReversed()) {
      const element = writer.written
      writer.text((3 << 3) | 2, value) // Value.string_value
      writer.close((1 << 3) | 2, element) // ListValue.values
    }
    writer.close((6 << 3) | 2, list) // Value.list_value
    writeStructEntry(name, list)
  }
  writer.close((5 << 3) | 2, names) // Value.struct_value
  writeStructEntry('headers', names)
}

/** Makes the Value that began at `since` an entry of Struct.fields, under `key`. */
function writeStructEntry(key: string, since: number) {
  writer.close((2 << 3) | 2, since)
  writer.text((1 << 3) | 2, key)
  writer.close((1 << 3) | 2, since)
}

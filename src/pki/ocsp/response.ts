// An OCSP answer (RFC 6960 §4.2) taken apart, strictly. Nothing in it is proven yet.

import {
  context,
  DerReader,
  malformed,
  readInteger,
  readOnly,
  readTime,
  TAG,
  type Element,
} from '../../x509/der.ts'
import { decodeExtensions, type Extension } from '../../x509/extensions.ts'
import { readOid } from '../../x509/oid.ts'
import { CERT_ID_HASHES, NONCE, type CertIdHash } from './request.ts'
import { valueOf } from '../issued.ts'
import { readSigned, type Signed } from '../signed.ts'

/** The status of one certificate. */
export interface SingleResponse {
  readonly hash: CertIdHash
  readonly issuerName: Buffer
  readonly issuerKey: Buffer
  readonly serialNumber: Buffer
  /** On hold is revoked: until the issuer lets it go, it is not to be used (RFC 5280 §5.3.1). */
  readonly status: 'good' | 'revoked' | 'unknown'
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
}

/** How a responder calls itself. */
export type ResponderId =
  | { readonly kind: 'name'; readonly name: Buffer }
  /** The SHA-1 hash of its key, whatever hash the question had. */
  | { readonly kind: 'key'; readonly hash: Buffer }

/** A signed answer. */
export interface OcspAnswer extends Signed {
  readonly responder: ResponderId
  /** Without those whose hash algorithm was not in the request. */
  readonly responses: readonly SingleResponse[]
  readonly nonce: Buffer | undefined
  /** What the responder sent along, in DER. */
  readonly certificates: readonly Buffer[]
}

/** A responder's answer, or that it gives none: a code without a signature (§4.2.1). */
export type OcspReading =
  | { readonly outcome: 'answer'; readonly answer: OcspAnswer }
  | { readonly outcome: 'refusal'; readonly reason: string }

const ENUMERATED = 0x0a
const BASIC = '1.3.6.1.5.5.7.48.1.1'

const REFUSALS: ReadonlyMap<number, string> = new Map([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
])

/** Reads an OCSPResponse; throws CountersignError `malformed-certificate` for everything else. */
export const readOcspResponse = (der: Uint8Array): OcspReading => {
  const response = new DerReader(readOnly(der, TAG.sequence))
  const status = response.expect(ENUMERATED)
  const code = status.length === 1 ? status[0] : undefined
  if (code !== 0) {
    const reason = code === undefined ? undefined : REFUSALS.get(code)
    if (reason === undefined) throw malformed('an OCSP status that RFC 6960 does not have')
    return { outcome: 'refusal', reason }
  }
  const bytes = new DerReader(readOnly(explicit(response).whole, TAG.sequence))
  response.end()
  if (readOid(bytes.expect(TAG.oid)) !== BASIC) throw malformed('an OCSP answer of another type')
  const basic = bytes.expect(TAG.octetString)
  bytes.end()
  return { outcome: 'answer', answer: readBasic(new DerReader(readOnly(basic, TAG.sequence))) }
}

const readBasic = (reader: DerReader): OcspAnswer => {
  const signed = readSigned(reader)
  const certificates: Buffer[] = []
  if (reader.more) {
    const list = new DerReader(readOnly(explicit(reader).whole, TAG.sequence))
    while (list.more) certificates.push(list.next().whole)
  }
  reader.end()
  const data = new DerReader(readOnly(signed.signed, TAG.sequence))
  if (data.tag === context(0, 'constructed')) {
    const { tag, content: version } = explicit(data)
    if (tag !== TAG.integer || version.length !== 1 || version[0] !== 0)
      throw malformed('an OCSP answer not version 1')
  }
  const responder = readResponder(data)
  readTime(data.next()) // producedAt: thisUpdate says as of when the answer is true
  const list = data.enter(TAG.sequence)
  const responses: SingleResponse[] = []
  while (list.more) {
    const single = readSingle(list.enter(TAG.sequence))
    if (single !== undefined) responses.push(single)
  }
  const extensions = readExtensions(data)
  data.end()
  const nonce = valueOf(extensions, NONCE)
  return {
    ...signed,
    responder,
    responses,
    nonce: nonce && readOnly(nonce, TAG.octetString),
    certificates,
  }
}

/** The one element inside of `[0] EXPLICIT`. */
const explicit = (reader: DerReader): Element => {
  const inner = reader.enter(context(0, 'constructed'))
  const found = inner.next()
  inner.end()
  return found
}

const readResponder = (data: DerReader): ResponderId => {
  const { tag, content } = data.next()
  if (tag === context(1, 'constructed')) {
    readOnly(content, TAG.sequence)
    return { kind: 'name', name: content }
  }
  if (tag !== context(2, 'constructed')) throw malformed('no responder')
  return { kind: 'key', hash: readOnly(content, TAG.octetString) }
}

const readSingle = (reader: DerReader): SingleResponse | undefined => {
  const id = reader.enter(TAG.sequence)
  const algorithm = id.enter(TAG.sequence)
  const hash = CERT_ID_HASHES.get(readOid(algorithm.expect(TAG.oid)))
  const issuerName = id.expect(TAG.octetString)
  const issuerKey = id.expect(TAG.octetString)
  const serialNumber = readInteger(id.expect(TAG.integer))
  id.end()
  const status = statusOf(reader.next().tag)
  const thisUpdate = readTime(reader.next()) * 1_000
  const nextUpdate =
    reader.tag === context(0, 'constructed') ? readTime(explicit(reader)) * 1_000 : undefined
  readExtensions(reader)
  reader.end()
  return hash && { hash, issuerName, issuerKey, serialNumber, status, thisUpdate, nextUpdate }
}

const statusOf = (tag: number): SingleResponse['status'] => {
  switch (tag) {
    case context(0, 'primitive'):
      return 'good'
    case context(1, 'constructed'):
      return 'revoked'
    case context(2, 'primitive'):
      return 'unknown'
  }
  throw malformed('a status that RFC 6960 does not have')
}

/** The extensions, `[1]`. A critical one that is not understood makes the answer unusable. */
const readExtensions = (reader: DerReader): readonly Extension[] => {
  if (reader.tag !== context(1, 'constructed')) return []
  const extensions = decodeExtensions(reader.expect(context(1, 'constructed')))
  if (extensions.some(({ oid, critical }) => critical && oid !== NONCE)) {
    throw malformed('a critical extension that is not understood')
  }
  return extensions
}

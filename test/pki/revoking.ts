// An issuer of certificates, OCSP answers and CRLs of which a test can bend every part. Written with
// the DER writer of `x509` and signed by OpenSSL.

import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readIssuer, type Issued, type Issuer } from '../../src/pki/issued.ts'
import { issuerHashes, NONCE, type CertIdHash } from '../../src/pki/ocsp/request.ts'
import { readCertificate } from '../../src/x509/certificate.ts'
import { bitString, context, element, sequence, TAG, time, unsigned } from '../../src/x509/der.ts'
import {
  encodeExtension,
  extendedKeyUsage,
  keyUsage,
  type Extension,
} from '../../src/x509/extensions.ts'
import { encodeName } from '../../src/x509/name.ts'
import { oidElement } from '../../src/x509/oid.ts'

/** The time of the tests: a whole second. */
export const NOW = Date.UTC(2026, 0, 1)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'

const ECDSA_SHA256 = sequence(oidElement('1.2.840.10045.4.3.2'))
const ECDSA_SHA1 = sequence(oidElement('1.2.840.10045.4.1'))

export const wrap = (number: number, ...contents: readonly Buffer[]): Buffer =>
  element(context(number, 'constructed'), ...contents)

const generalizedTime = (milliseconds: number): Buffer =>
  element(
    TAG.generalizedTime,
    Buffer.from(new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')),
  )

const signed = (tbs: Buffer, key: KeyObject, weak = false): readonly Buffer[] => [
  tbs,
  weak ? ECDSA_SHA1 : ECDSA_SHA256,
  bitString(sign(weak ? 'sha1' : 'sha256', tbs, key)),
]

/** A certificate with its key. */
export interface Holder {
  readonly der: Buffer
  readonly key: KeyObject
}

/** What may be bent of a certificate. */
export interface CertificateOptions {
  readonly name?: string
  readonly serial?: number
  readonly extensions?: readonly Extension[]
  readonly notBefore?: number
  readonly notAfter?: number
  readonly key?: KeyObject
}

export const newKey = (): KeyObject =>
  generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey

const nameOf = (commonName: string): Buffer => encodeName([{ oid: '2.5.4.3', value: commonName }])

const spkiOf = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ type: 'spki', format: 'der' })

/** An authority named `name`. */
export class Authority {
  readonly name: string
  readonly key: KeyObject
  readonly der: Buffer
  readonly issuer: Issuer

  constructor(name = 'Revoking CA', { key = newKey(), extensions }: CertificateOptions = {}) {
    this.name = name
    this.key = key
    this.der = this.issue({
      name,
      key,
      serial: 1,
      extensions: extensions ?? [keyUsage(['keyCertSign', 'cRLSign'])],
    }).der
    this.issuer = readIssuer(this.der)
  }

  issue(options: CertificateOptions = {}): Holder {
    const { name = 'alice', serial = 4_096, extensions = [], key = newKey() } = options
    const { notBefore = NOW - DAY, notAfter = NOW + 30 * DAY } = options
    const list = extensions.map(encodeExtension)
    const tbs = sequence(
      wrap(0, element(TAG.integer, Buffer.of(2))),
      unsigned(serialBytes(serial)),
      ECDSA_SHA256,
      nameOf(this.name),
      sequence(time(notBefore / 1_000), time(notAfter / 1_000)),
      nameOf(name),
      spkiOf(key),
      ...(list.length > 0 ? [wrap(3, sequence(...list))] : []),
    )
    return { der: sequence(...signed(tbs, this.key)), key }
  }

  /** A certificate of this authority together with its issuer, as a revocation source takes it. */
  issued(options: CertificateOptions = {}): Issued {
    return { certificate: readCertificate(this.issue(options).der), issuer: this.issuer }
  }

  /** A responder that this authority has certified. */
  responder(options: CertificateOptions = {}): Holder {
    return this.issue({
      name: 'responder',
      serial: 2,
      extensions: [keyUsage(['digitalSignature']), extendedKeyUsage([OCSP_SIGNING])],
      ...options,
    })
  }
}

const serialBytes = (serial: number): Buffer => {
  const hex = serial.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

/** What may be bent of one response. */
export interface SingleOptions {
  readonly status?: 'good' | 'revoked' | 'unknown'
  readonly hash?: CertIdHash
  readonly thisUpdate?: number
  readonly nextUpdate?: number | null
  readonly extensions?: readonly Extension[]
}

const HASH_OIDS = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const

/** What is said of a certificate. */
export const single = (issued: Issued, options: SingleOptions = {}): Buffer => {
  const { status = 'good', hash = 'sha1', extensions = [] } = options
  const { thisUpdate = NOW - MINUTE, nextUpdate = NOW + HOUR } = options
  const { name, key } = issuerHashes(issued, hash)
  const statuses = {
    good: element(context(0, 'primitive')),
    revoked: wrap(1, generalizedTime(NOW - DAY)),
    unknown: element(context(2, 'primitive')),
  }
  return sequence(
    sequence(
      sequence(oidElement(HASH_OIDS[hash]), element(0x05)),
      element(TAG.octetString, name),
      element(TAG.octetString, key),
      element(TAG.integer, issued.certificate.serialNumber),
    ),
    statuses[status],
    generalizedTime(thisUpdate),
    ...(nextUpdate === null ? [] : [wrap(0, generalizedTime(nextUpdate))]),
    ...(extensions.length > 0 ? [wrap(1, sequence(...extensions.map(encodeExtension)))] : []),
  )
}

/** What may be bent of an answer. */
export interface AnswerOptions {
  /** Whose key signs; the name in the answer is that of its certificate. */
  readonly signer: Holder
  readonly by?: 'name' | 'key'
  readonly certificates?: readonly Buffer[]
  readonly nonce?: Buffer | undefined
  readonly extensions?: readonly Extension[]
  readonly weak?: boolean
}

const nonceExtension = (nonce: Buffer): Extension => ({
  oid: NONCE,
  critical: false,
  value: element(TAG.octetString, nonce),
})

/** An OCSPResponse. */
export const answer = (singles: readonly Buffer[], options: AnswerOptions): Buffer => {
  const { signer, by = 'name', certificates = [], nonce, extensions = [], weak } = options
  const { subject, publicKey } = readCertificate(signer.der)
  const keyBytes = spkiBits(publicKey)
  const all = [...(nonce === undefined ? [] : [nonceExtension(nonce)]), ...extensions]
  const data = sequence(
    by === 'name'
      ? wrap(1, subject)
      : wrap(2, element(TAG.octetString, createHash('sha1').update(keyBytes).digest())),
    generalizedTime(NOW),
    sequence(...singles),
    ...(all.length > 0 ? [wrap(1, sequence(...all.map(encodeExtension)))] : []),
  )
  const basic = sequence(
    ...signed(data, signer.key, weak),
    ...(certificates.length > 0 ? [wrap(0, sequence(...certificates))] : []),
  )
  return sequence(
    element(0x0a, Buffer.of(0)),
    wrap(0, sequence(oidElement('1.3.6.1.5.5.7.48.1.1'), element(TAG.octetString, basic))),
  )
}

/** A responder's refusal (RFC 6960 §4.2.1). */
export const refusal = (code: number): Buffer => sequence(element(0x0a, Buffer.of(code)))

// The key's bits begin after SEQUENCE, algorithm and the head of the BIT STRING; 65 of P-256.
const spkiBits = (publicKey: Buffer): Buffer => publicKey.subarray(-65)

/** An entry of a CRL; `reason` as RFC 5280 §5.3.1 counts them. */
export interface CrlEntry {
  readonly serial: number
  readonly reason?: number
  readonly extensions?: readonly Extension[]
}

/** What may be bent of a CRL. */
export interface CrlOptions {
  readonly thisUpdate?: number
  readonly nextUpdate?: number | null
  readonly number?: number
  readonly base?: number
  /** Encoded entries, used instead of `entries`. */
  readonly list?: Buffer
  readonly extensions?: readonly Extension[]
  readonly weak?: boolean
  /** Says inside that its signature is of another algorithm. */
  readonly misnamed?: boolean
  /** The name that it is issued under. */
  readonly name?: string
}

const number = (oid: string, value: number, critical: boolean): Extension => ({
  oid,
  critical,
  value: unsigned(serialBytes(value)),
})

/** A CRL in DER. */
export const crl = (
  authority: Authority,
  entries: readonly CrlEntry[],
  options: CrlOptions = {},
): Buffer => {
  const { thisUpdate = NOW - MINUTE, nextUpdate = NOW + HOUR, weak = false, base } = options
  const extensions = [
    number('2.5.29.20', options.number ?? 7, false),
    ...(base === undefined ? [] : [number('2.5.29.27', base, true)]),
    ...(options.extensions ?? []),
  ]
  const list = options.list ?? Buffer.concat(entries.map(encodeEntry))
  const tbs = sequence(
    element(TAG.integer, Buffer.of(1)),
    weak || options.misnamed === true ? ECDSA_SHA1 : ECDSA_SHA256,
    nameOf(options.name ?? authority.name),
    time(thisUpdate / 1_000),
    ...(nextUpdate === null ? [] : [time(nextUpdate / 1_000)]),
    ...(list.length > 0 ? [sequence(list)] : []),
    wrap(0, sequence(...extensions.map(encodeExtension))),
  )
  return sequence(...signed(tbs, authority.key, weak))
}

const encodeEntry = ({ serial, reason, extensions = [] }: CrlEntry): Buffer => {
  const all = [
    ...(reason === undefined
      ? []
      : [{ oid: '2.5.29.21', critical: false, value: element(0x0a, Buffer.of(reason)) }]),
    ...extensions,
  ]
  return sequence(
    unsigned(serialBytes(serial)),
    time((NOW - DAY) / 1_000),
    ...(all.length > 0 ? [sequence(...all.map(encodeExtension))] : []),
  )
}

// A CRL (RFC 5280 §5). Its scope and its times are read at once, its entries only after its
// signature has been verified.
//
// All of it by the strict reader of `x509`: a library would make objects of each of 100,000 entries,
// which would block the event loop for seconds.

import {
  context,
  DerReader,
  malformed,
  readInteger,
  readOnly,
  readTime,
  TAG,
} from '../../x509/der.ts'
import { decodeExtensions, type Extension } from '../../x509/extensions.ts'
import { EXTENSIONS } from '../../x509/oid.ts'
import { decodePem } from '../../x509/pem.ts'
import { readEntries, type CrlEntries } from './entries.ts'
import { readScope, SCOPE, type CrlScope } from './scope.ts'
import { valueOf, type Issuer } from '../issued.ts'
import { isSignedBy, readSigned, type Signed } from '../signed.ts'

const CRL_NUMBER = '2.5.29.20'
const DELTA_INDICATOR = '2.5.29.27'
const FRESHEST = '2.5.29.46'

// RFC 5280 §5.2: one that is critical and not understood makes a CRL unusable.
const UNDERSTOOD: ReadonlySet<string> = new Set([
  CRL_NUMBER,
  DELTA_INDICATOR,
  FRESHEST,
  SCOPE,
  EXTENSIONS.authorityKeyIdentifier,
])

// Keys that one CRL was tried with: more than one only while an issuer changes its key.
const MAX_PROOFS = 16

/** A complete or a delta CRL. */
export class CrlDocument {
  /** A whole Name. */
  readonly issuer: Buffer
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly number: bigint | undefined
  /** Of a delta: the number of the CRL that it completes (RFC 5280 §5.2.4). */
  readonly base: bigint | undefined
  readonly scope: CrlScope
  readonly #signed: Signed
  readonly #list: Buffer
  readonly #proofs = new Map<string, Promise<CrlEntries | undefined>>()
  readonly #proven = new Map<string, Issuer>()
  #entries: Promise<CrlEntries> | undefined

  /** @throws CountersignError `malformed-certificate`, also for one that must not be used */
  constructor(der: Uint8Array) {
    const reader = new DerReader(readOnly(der, TAG.sequence))
    this.#signed = readSigned(reader)
    reader.end()
    const tbs = new DerReader(readOnly(this.#signed.signed, TAG.sequence))
    if (!tbs.next().whole.equals(VERSION_2)) throw malformed('a CRL not version 2')
    const algorithm = tbs.next().whole
    // RFC 5280 §5.1.1.2: otherwise an attacker could change the algorithm by which the signature is verified.
    if (!algorithm.equals(this.#signed.algorithm)) throw malformed('two signature algorithms')
    const issuer = tbs.next()
    if (issuer.tag !== TAG.sequence) throw malformed('no issuer')
    this.issuer = issuer.whole
    this.thisUpdate = readTime(tbs.next()) * 1_000
    // RFC 5280 §5.1.2.5: it is required. A CRL without it would never expire.
    this.nextUpdate = readTime(tbs.next()) * 1_000
    this.#list = tbs.tag === TAG.sequence ? tbs.expect(TAG.sequence) : Buffer.alloc(0)
    const extensions = tbs.more ? decodeExtensions(tbs.expect(context(0, 'constructed'))) : []
    tbs.end()
    if (extensions.some(({ oid, critical }) => critical && !UNDERSTOOD.has(oid))) {
      throw malformed('a CRL with a critical extension that is not understood')
    }
    this.number = numberIn(extensions, CRL_NUMBER)
    this.base = numberIn(extensions, DELTA_INDICATOR)
    this.scope = readScope(extensions)
  }

  /** The issuers whose key has made the signature, among those that were tried. */
  get provenBy(): readonly Issuer[] {
    return [...this.#proven.values()]
  }

  /** The entries, if this issuer has signed them; otherwise `undefined`. Rejects when broken. */
  async entriesBy(issuer: Issuer): Promise<CrlEntries | undefined> {
    // RFC 5280 §6.3.3 (f). Not kept with the proof: another certificate of the same key may say otherwise.
    if (!issuer.signsCrls || !issuer.name.equals(this.issuer)) return undefined
    const known = this.#proofs.get(issuer.id)
    if (known !== undefined) return await known
    if (this.#proofs.size >= MAX_PROOFS) this.#proofs.clear()
    const proof = this.#prove(issuer)
    this.#proofs.set(issuer.id, proof)
    return await proof
  }

  async #prove(issuer: Issuer): Promise<CrlEntries | undefined> {
    if (!(await isSignedBy(this.#signed, issuer.key))) return undefined
    this.#proven.set(issuer.id, issuer)
    this.#entries ??= readEntries(this.#list, this.base !== undefined)
    return await this.#entries
  }
}

const VERSION_2 = Buffer.of(TAG.integer, 1, 1)

// The CRLs of a hierarchy of CAs, with their deltas, are some tens.
const MAX_CRLS = 64
const PEM_LABEL = 'X509 CRL'

/**
 * Reads the CRLs of a file: one in DER, or at most 64 in PEM.
 *
 * @throws CountersignError `malformed-certificate`, also when there is none
 */
export const readCrls = (bytes: Buffer): readonly CrlDocument[] => {
  if (bytes[0] === TAG.sequence) return [new CrlDocument(bytes)]
  checkCount(bytes, MAX_CRLS)
  const ders = decodePem(PEM_LABEL, bytes.toString('latin1'))
  if (ders.length === 0) throw malformed(`neither DER nor a PEM block "${PEM_LABEL}"`)
  return ders.map((der) => new CrlDocument(der))
}

/**
 * Reads the only CRL of a distribution point: RFC 5280 §4.2.1.13 has one in DER; PEM is accepted.
 *
 * @throws CountersignError `malformed-certificate`, also when there is none, or more than one
 */
export const readCrl = (bytes: Buffer): CrlDocument => {
  if (bytes[0] !== TAG.sequence) checkCount(bytes, 1)
  const [crl] = readCrls(bytes)
  if (crl === undefined) throw malformed('no CRL')
  return crl
}

/** Before anything is decoded: megabytes of minimal CRLs would keep the event loop busy. */
const checkCount = (pem: Buffer, most: number): void => {
  const marker = `-----BEGIN ${PEM_LABEL}-----`
  let count = 0
  for (let at = pem.indexOf(marker); at !== -1; at = pem.indexOf(marker, at + 1)) {
    count += 1
    if (count > most) throw malformed(`more than ${most} CRL${most === 1 ? '' : 's'} in PEM`)
  }
}

// RFC 5280 §5.2.3: at most 20 octets.
const MAX_NUMBER_BYTES = 21

const numberIn = (extensions: readonly Extension[], oid: string): bigint | undefined => {
  const value = valueOf(extensions, oid)
  if (value === undefined) return undefined
  const content = readInteger(readOnly(value, TAG.integer))
  const [first = 0] = content
  if (content.length > MAX_NUMBER_BYTES || first >= 0x80) throw malformed('a CRL number')
  return BigInt(`0x${content.toString('hex')}`)
}

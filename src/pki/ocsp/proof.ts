// Whether an OCSP answer can be trusted, and the status that it has for one certificate (RFC 6960 §3.2,
// §4.2.2). There are three possible signers: the issuer itself, a responder that the issuer has certified, and
// a responder whose certificate the configuration contains.
//
// The revocation of the responder's own certificate is not checked, with or without
// id-pkix-ocsp-nocheck: only a responder of the same issuer could answer, so such
// certificates are made to live for weeks instead (RFC 6960 §4.2.2.2.1).

import { createHash } from 'node:crypto'
import { readCertificate, type CertificateParts } from '../../x509/certificate.ts'
import { DerReader, readOnly, TAG } from '../../x509/der.ts'
import { decodeExtendedKeyUsage, decodeKeyUsage } from '../../x509/extensions.ts'
import { EXTENSIONS } from '../../x509/oid.ts'
import { keyBytesOf, readKey, valueOf, type Issued, type Issuer } from '../issued.ts'
import { issuerHashes } from './request.ts'
import type { OcspAnswer, ResponderId, SingleResponse } from './response.ts'
import { isSignedBy, readSigned } from '../signed.ts'

/** What decides whether an answer counts. Times in milliseconds. */
export interface OcspRules {
  /** Certificates of responders that are trusted without a certificate of the issuer, in DER. */
  readonly responders: readonly Buffer[]
  /** How far clocks may be apart. */
  readonly skew: number
  /** How long an answer counts that doesn't say it. */
  readonly maxAge: number
  /** Whether an answer must repeat the nonce of the request. If it has a nonce, it must be the same. */
  readonly nonceRequired: boolean
}

/** What an answer proves. Times in milliseconds since the epoch. */
export interface ProvenStatus {
  readonly status: SingleResponse['status']
  /** As of when it is true. */
  readonly thisUpdate: number
  /** How long it counts, the other clock's error included. */
  readonly until: number
}

/** What an answer proves; otherwise why it proves nothing, for operators. */
export type OcspJudgement =
  | { readonly outcome: 'proven'; readonly proven: ProvenStatus }
  | { readonly outcome: 'unproven'; readonly reason: string }

const unproven = (reason: string): OcspJudgement => ({ outcome: 'unproven', reason })

// An answer can have several statuses of one certificate, under several hashes: the gravest first.
const GRAVITY = ['revoked', 'unknown', 'good'] as const

/**
 * Judges an answer to the question about one certificate.
 *
 * @param nonce what was sent with the question
 * @param now milliseconds since the epoch
 * @throws CountersignError `malformed-certificate` for a responder's certificate that cannot be read
 */
export const judgeOcsp = async (
  answer: OcspAnswer,
  question: { readonly issued: Issued; readonly nonce: Buffer | undefined },
  rules: OcspRules,
  now: number,
): Promise<OcspJudgement> => {
  const { issued, nonce } = question
  // RFC 8954 §2.1: an answer with another nonce belongs to another request, or is replayed.
  if (answer.nonce === undefined) {
    if (rules.nonceRequired) return unproven('it does not repeat the nonce')
  } else if (nonce === undefined || !answer.nonce.equals(nonce)) {
    return unproven('it has another nonce')
  }
  const about = answer.responses.filter((response) => isAbout(response, issued))
  if (about.length === 0) return unproven('it is about another certificate')
  const inTime = about.filter(
    (response) => response.thisUpdate <= now + rules.skew && now < endOf(response, rules),
  )
  if (inTime.length === 0) return unproven('it is out of date, or from the future')
  if (!(await isProven(answer, issued.issuer, rules, now))) {
    return unproven('it is not signed by the issuer, nor by a responder that may')
  }
  const status = GRAVITY.find((grave) => inTime.some((response) => response.status === grave))
  if (status === undefined) return unproven('it has no status')
  const thisUpdate = Math.min(...inTime.map((response) => response.thisUpdate))
  const until = Math.min(...inTime.map((response) => endOf(response, rules)))
  return { outcome: 'proven', proven: { status, thisUpdate, until } }
}

const endOf = ({ thisUpdate, nextUpdate }: SingleResponse, { maxAge, skew }: OcspRules): number =>
  (nextUpdate ?? thisUpdate + maxAge) + skew

const isAbout = (response: SingleResponse, issued: Issued): boolean => {
  if (!response.serialNumber.equals(issued.certificate.serialNumber)) return false
  const { name, key } = issuerHashes(issued, response.hash)
  return response.issuerName.equals(name) && response.issuerKey.equals(key)
}

const isProven = async (
  answer: OcspAnswer,
  issuer: Issuer,
  { responders, skew }: OcspRules,
  now: number,
): Promise<boolean> => {
  const { responder } = answer
  if (isCalled(issuer.name, issuer.keyBytes, responder) && (await isSignedBy(answer, issuer.key))) {
    return true
  }
  for (const der of [...responders, ...answer.certificates.slice(0, MAX_CERTIFICATES)]) {
    const certificate = readCertificate(der)
    if (!isCalled(certificate.subject, keyBytesOf(certificate.publicKey), responder)) continue
    if (now < certificate.notBefore * 1_000 - skew) continue
    if (now > certificate.notAfter * 1_000 + skew) continue
    const known = responders.some((one) => one.equals(der))
    if (!known && !(await isDelegate(der, certificate, issuer))) continue
    if (await isSignedBy(answer, readKey(certificate.publicKey))) return true
  }
  return false
}

// One is what belongs there, and each more may cost two signatures.
const MAX_CERTIFICATES = 4

const isCalled = (name: Buffer, keyBytes: Buffer, responder: ResponderId): boolean =>
  responder.kind === 'name'
    ? responder.name.equals(name)
    : responder.hash.equals(createHash('sha1').update(keyBytes).digest())

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'

// What is understood of a responder's certificate, besides what does not matter for it.
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSIONS.basicConstraints,
  EXTENSIONS.keyUsage,
  EXTENSIONS.extendedKeyUsage,
  EXTENSIONS.subjectAltName,
  EXTENSIONS.certificatePolicies,
  '1.3.6.1.5.5.7.48.1.5', // id-pkix-ocsp-nocheck
])

/** RFC 6960 §4.2.2.2: certified for it "by the CA that issued the certificate in question". */
const isDelegate = async (
  der: Buffer,
  { issuer: issuerName, extensions }: CertificateParts,
  issuer: Issuer,
): Promise<boolean> => {
  if (!issuerName.equals(issuer.name)) return false
  if (extensions.some(({ oid, critical }) => critical && !UNDERSTOOD.has(oid))) return false
  // The purpose has to be explicit: certificates of any kind may have anyExtendedKeyUsage.
  const purposes = valueOf(extensions, EXTENSIONS.extendedKeyUsage)
  if (purposes === undefined || !decodeExtendedKeyUsage(purposes).includes(OCSP_SIGNING)) {
    return false
  }
  const usage = valueOf(extensions, EXTENSIONS.keyUsage)
  if (usage !== undefined && !decodeKeyUsage(usage).some((use) => SIGNING.has(use))) return false
  const reader = new DerReader(readOnly(der, TAG.sequence))
  return await isSignedBy(readSigned(reader), issuer.key)
}

const SIGNING: ReadonlySet<string> = new Set(['digitalSignature', 'nonRepudiation'])

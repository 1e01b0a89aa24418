// The rules for a path whose signatures are valid (RFC 5280 §6.1). Each is implemented here,
// because pkijs has no rule for path lengths, extended key usages, strength or the critical
// extensions of a leaf, and one for name constraints with gaps.

import { EXTENSIONS } from '../x509/oid.ts'
import type { ChainCertificate } from './chain-certificate.ts'
import { meetsNameConstraints, NAME_CONSTRAINTS } from './name-constraints.ts'
import { isStrongKey, isStrongSignature } from './strength.ts'

/** A failure of path validation (RFC 5280 §6.1), as the audit log names it. */
export type PathFault =
  | 'certificate-untrusted' // no path to a trust anchor
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-purpose' // no extended key usage that is accepted
  | 'certificate-weak' // of its key or its signature

/** A path: the leaf, intermediates, and the trust anchor last. */
export type Path = readonly [ChainCertificate, ...ChainCertificate[]]

/** What a path is judged by. */
export interface PathRules {
  /** OIDs, one of which the leaf must be for; empty: whatever it is for. */
  readonly purposes: readonly string[]
}

/**
 * What is wrong with a path; `undefined` when nothing is.
 *
 * @param now milliseconds since the epoch
 * @throws CountersignError `malformed-certificate`
 */
export const pathFault = (path: Path, rules: PathRules, now: number): PathFault | undefined => {
  const [leaf, ...authorities] = path
  if (path.some(({ parts }) => now < parts.notBefore * 1_000)) return 'certificate-not-yet-valid'
  // As OpenSSL: over at the second that it names.
  if (path.some(({ parts }) => now >= parts.notAfter * 1_000)) return 'certificate-expired'
  // The anchor is trusted by being configured, not for its signature or key.
  const judged = path.slice(0, -1)
  if (!judged.every(isStrong)) return 'certificate-weak'
  if (!judged.every(isUnderstood)) return 'certificate-untrusted'
  if (!authorities.every((_, index) => maySign(path, index + 1))) return 'certificate-untrusted'
  if (!meetsNameConstraints(path)) return 'certificate-untrusted'
  return canAuthenticateInTls(leaf) && hasPurpose(path, rules.purposes)
    ? undefined
    : 'certificate-purpose'
}

const isStrong = ({ key, signatureAlgorithm }: ChainCertificate): boolean =>
  isStrongKey(key) && isStrongSignature(signatureAlgorithm)

/** The extensions about policies, which pkijs evaluates: policy mappings, policy constraints, inhibitAnyPolicy. */
export const POLICY_EXTENSIONS = ['2.5.29.33', '2.5.29.36', '2.5.29.54'] as const

const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSIONS.keyUsage,
  EXTENSIONS.subjectAltName,
  EXTENSIONS.basicConstraints,
  EXTENSIONS.extendedKeyUsage,
  EXTENSIONS.certificatePolicies,
  NAME_CONSTRAINTS,
  ...POLICY_EXTENSIONS,
])

/** RFC 5280 §4.2: a critical extension that isn't recognised is a reason to refuse. */
const isUnderstood = ({ parts }: ChainCertificate): boolean =>
  parts.extensions.every(({ critical, oid }) => !critical || UNDERSTOOD.has(oid))

/** RFC 5280 §6.1.4 (k), (l), (m) and (n), checked for the anchor too. */
const maySign = (path: Path, index: number): boolean => {
  const signer = path[index]
  if (signer === undefined) return false
  const { constraints, usages } = signer
  const below = path.slice(1, index).filter(({ isSelfIssued }) => !isSelfIssued)
  return (
    constraints.isAuthority &&
    (usages === undefined || usages.includes('keyCertSign')) &&
    below.length <= constraints.pathLength
  )
}

/**
 * Whether the leaf is an end entity, client or server, whose key can authenticate it in a TLS handshake: it signs or
 * agrees (RFC 8446 §4.4.2.4). Who has the key of a CA can make a certificate of any name.
 */
const canAuthenticateInTls = ({ constraints, usages }: ChainCertificate): boolean =>
  !constraints.isAuthority &&
  (usages === undefined || usages.includes('digitalSignature') || usages.includes('keyAgreement'))

/** One purpose for which the leaf is, and every CA that restricts what its certificates are for. */
const hasPurpose = ([leaf, ...authorities]: Path, purposes: readonly string[]): boolean =>
  purposes.length === 0 ||
  purposes.some(
    (purpose) =>
      leaf.purposes?.includes(purpose) === true &&
      authorities.every((authority) => authority.purposes?.includes(purpose) ?? true),
  )

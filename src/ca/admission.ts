// Opens the grant in a handle, finds its CA, and checks the CA's limits.

import type { CertificateRefusal } from '../audit/event.ts'
import type { Grant } from '../grant/grant.ts'
import type { GeneralName } from '../x509/general-names.ts'
import type { Attribute } from '../x509/name.ts'
import type { Authority, SignerSnapshot } from './snapshot.ts'

/** A grant that may be issued, and its CA. */
export interface Admitted {
  readonly outcome: 'admitted'
  readonly grant: Grant
  readonly authority: Authority
  readonly subject: readonly Attribute[]
  readonly names: readonly GeneralName[]
}

/** Why there is no certificate, and what is known of the grant. */
export interface Refused {
  readonly outcome: 'refused'
  readonly code: CertificateRefusal
  readonly grant?: Grant
  readonly detail?: string
}

/**
 * Judges a handle.
 *
 * @param now milliseconds since the epoch
 */
export const admit = (
  handle: string,
  { seal, authorities }: SignerSnapshot,
  now: number,
): Admitted | Refused => {
  const opening = seal.open(handle)
  if (opening.outcome === 'refused') return opening
  const { grant } = opening
  const authority = authorities.get(grant.authority)
  if (authority === undefined) return { outcome: 'refused', code: 'authority-unknown', grant }
  const verdict = authority.limits.check(grant, now)
  if (verdict.outcome === 'beyond') {
    return { outcome: 'refused', code: verdict.code, detail: verdict.detail, grant }
  }
  const { subject, names } = verdict
  return { outcome: 'admitted', grant, authority, subject, names }
}

/** Names the CA and the end of what a grant is for: a certificate under another CA has another. */
export const versionOf = ({ authority, grant }: Admitted): string =>
  `${authority.ca.certificate.fingerprint.slice(0, VERSION_DIGITS)}-${grant.notAfter}`

const VERSION_DIGITS = 16

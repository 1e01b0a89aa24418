// From when until when a certificate is valid.

import { usageError } from '../usage-error.ts'
import type { ChainCertificate } from '../../pki/chain-certificate.ts'

/** Seconds since the epoch. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

// The clock of a verifier may be behind.
const BACKDATE = 300
const DAY = 86_400

/** From now on, for so many days. */
export const validityFrom = (days: number, now = Math.floor(Date.now() / 1_000)): Validity => ({
  notBefore: now - BACKDATE,
  notAfter: now + days * DAY,
})

/** The certificates whose ends no certificate below them may pass. */
interface Issuer {
  readonly name: string
  readonly path: readonly ChainCertificate[]
}

/**
 * Within the time of every certificate of the issuer.
 *
 * @param days as requested
 * @param otherwise the days when none are requested; fewer where the issuer ends before
 * @throws CountersignError `usage` when the requested time ends after the issuer
 */
export const validityBelow = (
  { name, path }: Issuer,
  days: number | undefined,
  otherwise: number,
): Validity => {
  const now = Math.floor(Date.now() / 1_000)
  const { notBefore, notAfter } = validityFrom(days ?? otherwise, now)
  const begin = Math.max(...path.map(({ parts }) => parts.notBefore))
  const end = Math.min(...path.map(({ parts }) => parts.notAfter))
  if (days !== undefined && notAfter > end) {
    throw usageError(
      `--days: ${name} ends in ${Math.floor((end - now) / DAY)} days, and nothing that it signs may outlive it. Request fewer`,
    )
  }
  return { notBefore: Math.max(notBefore, begin), notAfter: Math.min(notAfter, end) }
}

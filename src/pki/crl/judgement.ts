// The status of one certificate by CRLs (RFC 5280 §6.3). Pure, except for the verification of signatures.

import { CountersignError } from '../../runtime/errors.ts'
import type { CrlDocument } from './document.ts'
import type { CrlEntries } from './entries.ts'
import { covers } from './scope.ts'
import type { Issued, Issuer } from '../issued.ts'
import type { SourceStatus } from '../revocation-source.ts'

/** When CRLs count. In milliseconds. */
export interface CrlTimes {
  /** How long a CRL is used after its nextUpdate, for issuers that are late. */
  readonly grace: number
  /** How far clocks may be apart. */
  readonly skew: number
}

/** A verified CRL and its entries. */
interface Proven {
  readonly document: CrlDocument
  readonly entries: CrlEntries
}

const unavailable = (reason: string): SourceStatus => ({
  outcome: 'unavailable',
  cause: new CountersignError('unavailable', reason),
})

/**
 * Judges a certificate by the available CRLs, of any issuers. Rejects when something that would
 * have to be understood is not.
 *
 * @param now milliseconds since the epoch
 */
export const judgeByCrls = async (
  documents: readonly CrlDocument[],
  issued: Issued,
  times: CrlTimes,
  now: number,
): Promise<SourceStatus> => {
  const { certificate, issuer } = issued
  const mine = documents
    .filter((document) => document.issuer.equals(issuer.name))
    .toSorted((one, other) => other.thisUpdate - one.thisUpdate)
  const complete = mine.filter(
    ({ base, scope }) => base === undefined && covers(scope, certificate),
  )
  const found = await firstProven(
    complete.filter(({ thisUpdate }) => thisUpdate <= now + times.skew),
    issuer,
  )
  if (found === undefined) {
    return unavailable(
      complete.length === 0
        ? 'there is no CRL for the certificate'
        : 'no CRL for the certificate is signed by its issuer and of today',
    )
  }
  const { document, entries } = found
  const delta = await firstProven(
    mine.filter((one) => completes(one, document) && isCurrent(one, times, now)),
    issuer,
  )
  const serial = certificate.serialNumber
  const isRevoked =
    delta?.entries.revoked.has(serial) === true ||
    (entries.revoked.has(serial) && delta?.entries.removed.has(serial) !== true)
  // Of an old CRL too: a certificate that it lists has been revoked, even if other entries are out of date.
  if (isRevoked) return { outcome: 'revoked' }
  if (!isCurrent(document, times, now))
    return unavailable('the CRL for the certificate is out of date')
  const ends = [document, ...(delta === undefined ? [] : [delta.document])]
  return {
    outcome: 'good',
    until: Math.min(...ends.map(({ nextUpdate }) => nextUpdate + times.grace + times.skew)),
  }
}

const isCurrent = (
  { thisUpdate, nextUpdate }: CrlDocument,
  { grace, skew }: CrlTimes,
  now: number,
): boolean => thisUpdate <= now + skew && now < nextUpdate + grace + skew

/**
 * The first that the issuer has signed. Rejects where its entries are broken: an older one must not
 * replace it, since it may lack entries.
 */
const firstProven = async (
  documents: readonly CrlDocument[],
  issuer: Issuer,
): Promise<Proven | undefined> => {
  for (const document of documents) {
    const entries = await document.entriesBy(issuer)
    if (entries !== undefined) return { document, entries }
  }
  return undefined
}

/** RFC 5280 §5.2.4: whether a delta goes with a complete CRL. */
const completes = (delta: CrlDocument, complete: CrlDocument): boolean =>
  delta.base !== undefined &&
  delta.number !== undefined &&
  complete.number !== undefined &&
  delta.base <= complete.number &&
  complete.number < delta.number &&
  delta.scope.encoded.equals(complete.scope.encoded)

// Which certificates a CRL covers (RFC 5280 §5.2.5, issuingDistributionPoint): a certificate outside of its
// scope is not valid because the CRL does not list it.

import type { CertificateParts } from '../../x509/certificate.ts'
import { context, DerReader, malformed, readOnly, readTrue, TAG } from '../../x509/der.ts'
import { decodeIsAuthority, type Extension } from '../../x509/extensions.ts'
import { EXTENSIONS } from '../../x509/oid.ts'
import { valueOf } from '../issued.ts'
import { distributionPoints, fullNames } from '../locations.ts'

/** The issuingDistributionPoint extension. */
export const SCOPE = '2.5.29.28'

/** What a CRL is about. */
export interface CrlScope {
  /** The extension as encoded: a delta has the same as the CRL that it completes (§5.2.4). */
  readonly encoded: Buffer
  readonly only: 'users' | 'authorities' | undefined
  /** Whole GeneralNames, one of which a certificate has to name; `undefined` when it need not. */
  readonly points: readonly Buffer[] | undefined
}

const EVERYTHING: CrlScope = { encoded: Buffer.alloc(0), only: undefined, points: undefined }

/**
 * Reads the scope of a CRL from its extensions.
 *
 * @throws CountersignError `malformed-certificate`; also for CRLs that are for some reasons only,
 *   for certificates of other issuers (indirect), or for attribute certificates: none of them can
 *   show that a certificate is good
 */
export const readScope = (extensions: readonly Extension[]): CrlScope => {
  const encoded = valueOf(extensions, SCOPE)
  if (encoded === undefined) return EVERYTHING
  const reader = new DerReader(readOnly(encoded, TAG.sequence))
  let points: readonly Buffer[] | undefined
  if (reader.tag === context(0, 'constructed')) {
    const name = reader.enter(context(0, 'constructed'))
    points = fullNames(name)
  }
  const users = flag(reader, 1)
  const authorities = flag(reader, 2)
  if (reader.tag === context(3, 'primitive')) throw malformed('a CRL for some reasons only')
  if (flag(reader, 4)) throw malformed('an indirect CRL, which is not supported')
  if (flag(reader, 5)) throw malformed('a CRL for attribute certificates')
  reader.end()
  if (users && authorities) throw malformed('a CRL for no certificates')
  return { encoded, only: users ? 'users' : authorities ? 'authorities' : undefined, points }
}

const flag = (reader: DerReader, number: number): boolean =>
  reader.tag === context(number, 'primitive') &&
  readTrue(reader.expect(context(number, 'primitive')))

/** Whether a CRL of this scope is about the certificate, given that the issuer is the same. */
export const covers = ({ only, points }: CrlScope, { extensions }: CertificateParts): boolean => {
  if (only !== undefined) {
    const constraints = valueOf(extensions, EXTENSIONS.basicConstraints)
    const isAuthority = constraints !== undefined && decodeIsAuthority(constraints)
    if (isAuthority !== (only === 'authorities')) return false
  }
  if (points === undefined) return true
  // RFC 5280 §6.3.3 (b)(2)(i). Names relative to the issuer's match nothing.
  return distributionPoints(extensions).some((name) => points.some((one) => one.equals(name)))
}

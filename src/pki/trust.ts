// What paths end at and may lead through: the configured trust anchors and intermediate CAs.

import { digestOf } from '../runtime/digest.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { decodePem } from '../x509/pem.ts'
import { readChainCertificate, type ChainCertificate } from './chain-certificate.ts'

/** Trust anchors and known intermediates. */
export interface Trust {
  readonly anchors: AuthorityIndex
  readonly intermediates: AuthorityIndex
  /** Equal for equal certificates, in any order. */
  readonly generation: string
}

/** CAs by their names. */
export class AuthorityIndex {
  readonly #bySubject: ReadonlyMap<string, readonly ChainCertificate[]>

  constructor(authorities: readonly ChainCertificate[]) {
    const different = new Map(authorities.map((authority) => [authority.fingerprint, authority]))
    this.#bySubject = Map.groupBy(different.values(), ({ parts }) => nameKey(parts.subject))
  }

  /** The CAs with the name of the certificate's issuer, compared byte for byte as in Go. */
  namedAsIssuerOf({ parts }: ChainCertificate): readonly ChainCertificate[] {
    return this.#bySubject.get(nameKey(parts.issuer)) ?? []
  }
}

const nameKey = (name: Buffer): string => name.toString('latin1')

/** Trust in anchors, by way of intermediates. */
export const trustIn = (
  anchors: readonly ChainCertificate[],
  intermediates: readonly ChainCertificate[],
): Trust => {
  const fingerprints = [anchors, intermediates].map((list) =>
    [...new Set(list.map(({ fingerprint }) => fingerprint))].toSorted(),
  )
  return {
    anchors: new AuthorityIndex(anchors),
    intermediates: new AuthorityIndex(intermediates),
    generation: digestOf(fingerprints),
  }
}

// All CAs of a national identity scheme are some hundreds.
const MAX_AUTHORITIES = 2_000

/**
 * Reads a PEM file of CA certificates, each of which must be one.
 *
 * @param name its path, for messages
 * @throws CountersignError `configuration-invalid`
 */
export const readAuthorities = (name: string, pem: string): readonly ChainCertificate[] => {
  const ders = decodePem('CERTIFICATE', pem)
  if (ders.length === 0) throw invalid(`${name} holds no certificate in PEM`)
  if (ders.length > MAX_AUTHORITIES) {
    throw invalid(
      `${name} holds ${ders.length} certificates, and ${MAX_AUTHORITIES} are the most: keep those whose users are to come in`,
    )
  }
  return ders.map((der, index) => readAuthority(`certificate ${index + 1} of ${name}`, der))
}

const readAuthority = (which: string, der: Buffer): ChainCertificate => {
  let authority: ChainCertificate
  try {
    authority = readChainCertificate(der)
  } catch (cause) {
    throw new CountersignError(
      'configuration-invalid',
      `${which} cannot be read: ${describeError(cause)}`,
      { cause },
    )
  }
  if (!authority.constraints.isAuthority) {
    throw invalid(`${which} is not the certificate of a CA (basicConstraints without CA:TRUE)`)
  }
  if (authority.usages !== undefined && !authority.usages.includes('keyCertSign')) {
    throw invalid(`${which} may not sign certificates (keyUsage without keyCertSign)`)
  }
  if (authority.key === undefined) throw invalid(`${which} has a key of an unknown kind`)
  return authority
}

const invalid = (message: string): CountersignError =>
  new CountersignError('configuration-invalid', message)

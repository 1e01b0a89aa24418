// Which holders of a client certificate may reach the listener of the issuer, by the names in it.

import { readCertificate } from '../../x509/certificate.ts'
import { decodeGeneralNames, type GeneralName } from '../../x509/general-names.ts'
import { EXTENSIONS } from '../../x509/oid.ts'

/**
 * A test of client certificates (DER): whether one of the alternative names is among these. DNS names are
 * compared without regard to case (RFC 4343), URIs exactly.
 *
 * @param names `undefined` for any certificate that was validated
 */
export const admitsNames = (
  names: readonly string[] | undefined,
): ((certificate: Buffer) => boolean) => {
  if (names === undefined) return () => true
  const admitted = new Set(names.map((name) => (name.includes(':') ? name : name.toLowerCase())))
  return (certificate) => namesIn(certificate).some((name) => admitted.has(name))
}

const namesIn = (certificate: Buffer): readonly string[] => {
  try {
    return readCertificate(certificate)
      .extensions.filter(({ oid }) => oid === EXTENSIONS.subjectAltName)
      .flatMap(({ value }) => decodeGeneralNames(value).flatMap(nameOf))
  } catch {
    return [] // malformed: no name in it counts
  }
}

const nameOf = ({ kind, value }: GeneralName): readonly string[] => {
  if (kind === 'dns') return [value.toLowerCase()]
  return kind === 'uri' ? [value] : []
}

// pkijs, asked about a path that was found already: it has its own reader of names and extensions, its own
// rules for dates and CAs, and processes policies (RFC 5280 §6.1.2 to §6.1.5), which is done nowhere
// else.
//
// It isn't left to find the path. Its own search follows CAs that signed each other in circles
// without end, takes the shortest path and no other, and judges another certificate than the one
// asked about when that is an anchor itself.

import {
  Certificate,
  CertificateChainValidationEngine,
  CryptoEngine,
  Extension,
  RelativeDistinguishedNames,
  Time,
} from './pkijs.ts'
import { DerReader, malformed, readOnly, TAG } from '../x509/der.ts'
import { encodeExtension, type Extension as DerExtension } from '../x509/extensions.ts'
import { EXTENSIONS } from '../x509/oid.ts'
import type { ChainCertificate } from './chain-certificate.ts'
import { POLICY_EXTENSIONS } from './path-rules.ts'

/** The engine is an argument, so that the engine that pkijs keeps for the whole process is never used. */
const engine = new CryptoEngine({ name: 'node', crypto: globalThis.crypto })

// The extensions that pkijs sees. It reads a thousand names in a third of a second, and accepts a certificate
// when any one of them is permitted: names are judged elsewhere.
const SHOWN: ReadonlySet<string> = new Set([
  EXTENSIONS.keyUsage,
  EXTENSIONS.basicConstraints,
  EXTENSIONS.certificatePolicies,
  ...POLICY_EXTENSIONS,
])

// Some two hundred policies; the longest that is known of a CA has thirty.
const LONGEST_EXTENSION = 2_048

// Reading takes it most of a millisecond, and CAs come by again and again.
const read = new WeakMap<ChainCertificate, Certificate>()

const certificateOf = (certificate: ChainCertificate): Certificate => {
  const known = read.get(certificate)
  if (known !== undefined) return known
  const fresh = Certificate.fromBER(certificate.der)
  fresh.extensions = (fresh.extensions ?? []).filter(({ extnID }) => SHOWN.has(extnID))
  read.set(certificate, fresh)
  return fresh
}

// What pkijs does not look at in a leaf whose signature holds: its key, its signature and its number; and its subject,
// where that is not the issuer's.
const BLANK = new Certificate()

/**
 * The parts of a leaf that pkijs judges. It reads the names and extensions of CAs and the leaf's extensions; the leaf's dates
 * are of OpenSSL, the second reader of certificates. Reading all of a leaf takes pkijs half a millisecond, for every caller
 * anew: most of what a certificate costs.
 */
const leafOf = (leaf: ChainCertificate, issuer: ChainCertificate): Certificate => {
  const { serialNumber, signature, subjectPublicKeyInfo, signatureAlgorithm, signatureValue } =
    BLANK
  const { parts, x509, isSelfIssued } = leaf
  // Equal bytes are read equally.
  const issuerName = parts.issuer.equals(issuer.parts.subject)
    ? certificateOf(issuer).subject
    : RelativeDistinguishedNames.fromBER(parts.issuer)
  return new Certificate({
    tbs: exactly(new DerReader(readOnly(leaf.der, TAG.sequence)).next().whole),
    serialNumber,
    signature,
    subjectPublicKeyInfo,
    signatureAlgorithm,
    signatureValue,
    issuer: issuerName,
    subject: isSelfIssued ? issuerName : BLANK.subject,
    notBefore: timeOf(x509.validFromDate, parts.notBefore),
    notAfter: timeOf(x509.validToDate, parts.notAfter),
    extensions: parts.extensions.filter(({ oid }) => SHOWN.has(oid)).map(extensionOf),
  })
}

const exactly = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer

/** @param wanted seconds since the epoch, by the strict reader */
const timeOf = (date: Date, wanted: number): Time => {
  if (date.getTime() !== wanted * 1_000) throw malformed('a time with more than one reading')
  return new Time({ value: date })
}

// Those of the certificates of one CA are few: names and keys are not among them.
const MAX_EXTENSIONS = 200
const extensions = new Map<string, Extension>()

const extensionOf = (extension: DerExtension): Extension => {
  const der = encodeExtension(extension)
  const key = der.toString('latin1')
  const known = extensions.get(key)
  if (known !== undefined) return known
  const fresh = Extension.fromBER(der)
  if (extensions.size >= MAX_EXTENSIONS) extensions.clear()
  extensions.set(key, fresh)
  return fresh
}

const isShort = ({ parts }: ChainCertificate): boolean =>
  parts.extensions.every(({ oid, value }) => !SHOWN.has(oid) || value.length <= LONGEST_EXTENSION)

/**
 * Whether pkijs finds nothing wrong with the path. Never rejects: what it cannot read is refused.
 *
 * @param path leaf first, anchor last; its signatures hold
 * @param now milliseconds since the epoch
 */
export const isValidToo = async (
  path: readonly ChainCertificate[],
  now: number,
): Promise<boolean> => {
  if (!path.every(isShort)) return false
  try {
    const [first, second] = path
    if (first === undefined || second === undefined) return false
    const leaf = leafOf(first, second)
    const authorities = path.slice(1).map(certificateOf)
    const certificates = [leaf, ...authorities]
    const anchor = authorities.pop()
    if (anchor === undefined) return false
    const validation = new CertificateChainValidationEngine({
      trustedCerts: [anchor],
      certs: [...authorities, leaf], // it takes the last for the leaf
      checkDate: new Date(now),
      findIssuer: async (certificate) => {
        const issuer = certificates[certificates.indexOf(certificate) + 1]
        return issuer === undefined ? [] : [issuer]
      },
    })
    const { result, certificatePath = [] } = await validation.verify({}, engine)
    return (
      result &&
      certificatePath.length === certificates.length &&
      certificatePath.every((certificate, index) => certificate === certificates[index])
    )
  } catch {
    return false
  }
}

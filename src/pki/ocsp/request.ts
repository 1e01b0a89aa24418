// The question to an OCSP responder (RFC 6960 §4.1) about one certificate.

import { createHash } from 'node:crypto'
import { context, element, sequence, TAG } from '../../x509/der.ts'
import { encodeExtension } from '../../x509/extensions.ts'
import { oidElement } from '../../x509/oid.ts'
import type { Issued } from '../issued.ts'

/** By which hash a question names the issuer. Not for security: it only has to be found. */
export type CertIdHash = 'sha1' | 'sha256'

/** The OIDs of hashes in a CertID. */
export const CERT_ID_HASHES: ReadonlyMap<string, CertIdHash> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
])

const OIDS = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const

/** RFC 8954 §2. */
export const NONCE = '1.3.6.1.5.5.7.48.1.2'

// RFC 8954 §2.1 and RFC 9654 §2.1: 32 octets are what every responder has to take.
/** The length of a nonce, in bytes. */
export const NONCE_BYTES = 32

/** What names the issuer of a certificate. */
export const issuerHashes = (
  { issuer }: Issued,
  hash: CertIdHash,
): { readonly name: Buffer; readonly key: Buffer } => ({
  name: createHash(hash).update(issuer.name).digest(),
  key: createHash(hash).update(issuer.keyBytes).digest(),
})

/** An OCSPRequest in DER. */
export const encodeOcspRequest = (
  issued: Issued,
  hash: CertIdHash,
  nonce: Uint8Array | undefined,
): Buffer => {
  const { name, key } = issuerHashes(issued, hash)
  const certId = sequence(
    sequence(oidElement(OIDS[hash]), element(0x05)),
    element(TAG.octetString, name),
    element(TAG.octetString, key),
    element(TAG.integer, issued.certificate.serialNumber),
  )
  return sequence(sequence(sequence(sequence(certId)), ...(nonce ? [nonceExtension(nonce)] : [])))
}

const nonceExtension = (nonce: Uint8Array): Buffer =>
  element(
    context(2, 'constructed'),
    sequence(
      encodeExtension({ oid: NONCE, critical: false, value: element(TAG.octetString, nonce) }),
    ),
  )

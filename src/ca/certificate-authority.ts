// The seam behind which a CA's key lives: in a file, or with a service that signs and never shows it.

import type { AuthorityCertificate } from './authority-certificate.ts'

/**
 * A CA that certificates are issued by.
 *
 * `sign` gives the bits of a signature over `tbs` (the DER of a TBSCertificate) that is valid under the
 * key in `certificate`. It rejects when the key cannot be reached. It decides
 * nothing: admission has decided before what may be signed.
 */
export interface CertificateAuthority {
  /** Its own certificate: the issuer's name, the key identifier, and the end of all that it signs. */
  readonly certificate: AuthorityCertificate
  /** PEM of the certificates that are sent after the leaf; empty when there are none. */
  readonly chain: string
  /** DER of the AlgorithmIdentifier of its signatures. */
  readonly signatureAlgorithm: Buffer
  sign(tbs: Buffer): Promise<Buffer>
}

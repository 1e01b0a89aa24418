// The seam behind which a CA's key lives: in a file, or with a service that signs and never shows it.

import type { AuthorityCertificate } from './authority-certificate.ts'

/**
 * A CA that certificates are issued by.
 *
 * `sign` gives the bits of a signature over `tbs` (the DER of a TBSCertificate) that holds under the
 * key in `certificate`. It rejects when there is none to be had: the key is out of reach. It decides
 * nothing; what may be signed is settled before it is asked.
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

// Why a certification path is not accepted.

/** A failure of path validation (RFC 5280 §6.1), as the audit log names it. */
export type PathFault =
  | 'certificate-untrusted' // no path to a trust anchor
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-purpose' // no extended key usage that is accepted
  | 'certificate-weak' // of its key or its signature

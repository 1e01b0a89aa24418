// What a source of client certificates finds in a request.

import type { Finding } from '../../../src/authenticate/certificate/certificate-source.ts'

/** The DER of the certificates, leaf first; `malformed`; or the outcome without any. */
export const outcomeOf = (finding: Finding): unknown => {
  if (finding.outcome !== 'found') return finding.outcome
  const certificates = finding.read()
  return certificates ? [certificates.leaf, ...certificates.others] : 'malformed'
}

// The client certificate of the TLS connection, as Envoy attests it to authz in the attributes of the request
// (`include_peer_certificate`). Callers cannot set it.

import { readUrlEncodedPem } from './pem-text.ts'
import type { CertificateSource } from './certificate-source.ts'

/** The certificate of the connection. Envoy sends the leaf only, without the caller's intermediates. */
export const connectionSource: CertificateSource = {
  locations: [{ kind: 'connection' }],
  find({ peerCertificate: text }) {
    if (text === '') return { outcome: 'absent' }
    return {
      outcome: 'found',
      text,
      read: () => {
        const [leaf, ...others] = readUrlEncodedPem(text) ?? []
        return leaf && { leaf, others }
      },
    }
  },
}

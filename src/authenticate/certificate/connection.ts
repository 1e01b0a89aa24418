// The client certificate of the TLS connection, as Envoy attests it to authz beside the request
// (`include_peer_certificate`). Nothing that a caller sends gets there.

import { readUrlEncodedPem } from './pem-text.ts'
import type { CertificateSource } from './certificate-source.ts'

/** The certificate of the connection. Envoy tells the leaf alone, without what the caller sent with it. */
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

// A CA whose key is elsewhere, as with a key service: it can be out of reach, and it can be wrong.

import { sign, type KeyObject } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { AuthorityCertificate } from '../../src/ca/authority-certificate.ts'
import type { CertificateAuthority } from '../../src/ca/certificate-authority.ts'

/** What the CA's service does. */
export type Conduct = 'signs' | 'unreachable' | 'signs-something-else'

/** Signs with ECDSA and SHA-256. */
export class RemoteCa implements CertificateAuthority {
  readonly certificate: AuthorityCertificate
  readonly chain = ''
  // ecdsa-with-SHA256 (RFC 5758 §3.2)
  readonly signatureAlgorithm = Buffer.from('300a06082a8648ce3d040302', 'hex')
  conduct: Conduct = 'signs'
  readonly #key: KeyObject

  constructor(certificate: AuthorityCertificate, key: KeyObject) {
    this.certificate = certificate
    this.#key = key
  }

  async sign(tbs: Buffer): Promise<Buffer> {
    await setImmediate()
    if (this.conduct === 'unreachable') throw new Error('connect ECONNREFUSED')
    return sign('sha256', this.conduct === 'signs' ? tbs : Buffer.from('other'), this.#key)
  }
}

// A CA whose key is in a file. The key is read once and kept as a KeyObject, which does not print.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { AuthorityCertificate, AuthorityChain } from './authority-certificate.ts'
import { unusable } from './authority-certificate.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { KNOWN_KEYS, schemeOf, type SignatureScheme } from './signature.ts'

/** A CA that signs with a key of its own. */
export class FileCa implements CertificateAuthority {
  readonly certificate: AuthorityCertificate
  readonly chain: string
  readonly #key: KeyObject
  readonly #scheme: SignatureScheme

  /** @throws CountersignError `authority-unusable`, also when the key is not the certificate's */
  constructor({ certificate, chain }: AuthorityChain, key: KeyObject) {
    const scheme = schemeOf(key)
    if (scheme === undefined) throw unusable(`the key is not one of ${KNOWN_KEYS}`)
    if (!certificate.x509.checkPrivateKey(key)) {
      throw unusable('the key does not belong to the certificate')
    }
    this.certificate = certificate
    this.chain = chain
    this.#key = key
    this.#scheme = scheme
  }

  get signatureAlgorithm(): Buffer {
    return this.#scheme.algorithm
  }

  sign(tbs: Buffer): Promise<Buffer> {
    return this.#scheme.sign(tbs, this.#key)
  }
}

/**
 * Reads a private key in PEM: PKCS#8, encrypted or not, SEC1, or PKCS#1.
 *
 * @throws CountersignError `authority-unusable`; the message quotes nothing of the key or passphrase
 */
export const readAuthorityKey = (pem: Buffer, passphrase: Buffer | undefined): KeyObject => {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...optional(passphrase) })
  } catch {
    // What OpenSSL says depends on its version, and may quote.
    if (passphrase !== undefined) {
      throw unusable('the key is not a private key in PEM, or the passphrase is not its own')
    }
    throw unusable(
      // RFC 7468 §11; RFC 1421 §4.6.1.1
      pem.includes('ENCRYPTED')
        ? 'the key is encrypted and needs its "passphrase"'
        : 'the key is not a private key in PEM',
    )
  }
}

/** Without the end of line that editors put at the end of the file. */
const optional = (passphrase: Buffer | undefined): { readonly passphrase?: string } =>
  passphrase === undefined ? {} : { passphrase: passphrase.toString('utf8').replace(/\r?\n$/, '') }

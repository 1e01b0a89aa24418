// The issuer's signing keys, for `oidc-provider`, which calls for signatures and never receives a private key.

import { ExternalSigningKey } from 'oidc-provider'
import type { TokenSigner } from '../../keys/signing-key-set.ts'

/** A signing key of the issuer, as the provider uses it. */
export class ProviderSigningKey extends ExternalSigningKey {
  readonly #signer: TokenSigner

  constructor(signer: TokenSigner) {
    super()
    this.#signer = signer
  }

  override get kid(): string {
    return this.#signer.kid
  }

  override get alg(): string {
    return this.#signer.algorithm
  }

  /** The public key, for ID tokens that clients send as hints. */
  override keyObject() {
    return this.#signer.publicKey
  }

  /** @throws CountersignError `signing-keys-invalid` when the key does not sign now */
  override async sign(data: Uint8Array): Promise<Uint8Array> {
    return await this.#signer.sign(data)
  }
}

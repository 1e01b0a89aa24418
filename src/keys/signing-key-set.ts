// The signing keys at work: which one signs now, and which are published.

import type { KeyObject } from 'node:crypto'
import { SignJWT, type JWTPayload } from 'jose'
import type { SigningAlgorithm } from '../config/mint-schema.ts'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { SigningKeyFolder } from './signing-key-folder.ts'
import { statesAt, type SigningKeyEntry, type SigningKeyState } from './signing-keys.ts'

/** A public key as it is published (RFC 7517 §4). */
export interface PublishedKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly use: 'sig'
  readonly [member: string]: string | undefined
}

/** A token, and the key that signed it. */
export interface SignedToken {
  readonly token: string
  readonly kid: string
}

/** A key, and what it does now. */
export interface SigningKeyStatus extends SigningKeyEntry {
  readonly state: SigningKeyState
}

/** The `typ` of a token: of an ID token, or of an access token (RFC 9068 §2.1). */
export type TokenType = 'JWT' | 'at+jwt'

/** Signs, and tells what it signs with. The keys change with the clock, and with a reload only. */
export class SigningKeySet {
  readonly #folder: SigningKeyFolder
  readonly #clock: Clock

  constructor(folder: SigningKeyFolder, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  /** The algorithms that there is a key for, now or soon. */
  get algorithms(): ReadonlySet<SigningAlgorithm> {
    return new Set(
      this.statuses()
        .filter(({ state }) => state === 'signing' || state === 'next')
        .map(({ algorithm }) => algorithm),
    )
  }

  /** Every key of the folder. */
  statuses(): readonly SigningKeyStatus[] {
    const { list } = this.#folder
    const states = statesAt(list, this.#clock.now())
    return list.keys.map((key) => ({ ...key, state: states.get(key.kid) ?? 'dead' }))
  }

  /** The public keys to be published: those that sign, will sign, or have signed what still lives. */
  published(): readonly PublishedKey[] {
    return this.statuses()
      .filter(({ state }) => state === 'next' || state === 'signing' || state === 'retired')
      .map(({ kid, algorithm, jwk }) => ({ ...jwk, kid, alg: algorithm, use: 'sig' }))
  }

  /** Whether the key is published: whether what it signed is still to be believed. */
  publishes(kid: string): boolean {
    return this.published().some((key) => key.kid === kid)
  }

  /**
   * Signs a token. WebCrypto does it on a thread of its own, so that nobody else waits.
   *
   * @throws CountersignError `signing-keys-invalid` when no key of the algorithm signs
   */
  async sign(
    algorithm: SigningAlgorithm,
    type: TokenType,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<SignedToken> {
    const { kid, key } = this.#signing(algorithm)
    const payload: JWTPayload = { ...claims }
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: algorithm, kid, typ: type })
      .sign(key)
    return { token, kid }
  }

  #signing(algorithm: SigningAlgorithm): { readonly kid: string; readonly key: KeyObject } {
    const signing = this.statuses().find(
      (status) => status.state === 'signing' && status.algorithm === algorithm,
    )
    const key = signing && this.#folder.privateKeys.get(signing.kid)
    if (signing === undefined || key === undefined) {
      const message = `there is no ${algorithm} key that signs now; see \`countersign keys signing show\``
      throw new CountersignError('signing-keys-invalid', message)
    }
    return { kid: signing.kid, key }
  }
}

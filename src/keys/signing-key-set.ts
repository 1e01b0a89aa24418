// The signing keys at work: which one signs now, and which are published.

import { createPublicKey, sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { SignJWT, type JWTPayload } from 'jose'
import type { SigningAlgorithm } from './mint-schema.ts'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { SigningKeyFolder } from './signing-key-folder.ts'
import {
  isPublished,
  stateAt,
  timesOf,
  type SigningKeyState,
  type SigningKeyTimes,
} from './signing-key-times.ts'
import type { SigningKeyEntry } from './signing-keys.ts'

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

/** A key for components that write their own tokens. It never shows its private part. */
export interface TokenSigner {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** Whether it signs now; otherwise it has signed, and its tokens are still valid. */
  readonly signs: boolean
  readonly publicKey: KeyObject
  /**
   * The signature of a JWS (RFC 7515 §5.1), made on a thread of its own.
   *
   * @throws CountersignError `signing-keys-invalid` when it does not sign now
   */
  sign(input: Uint8Array): Promise<Uint8Array>
}

/** The `typ` of a token: of an ID token, or of an access token (RFC 9068 §2.1). */
export type TokenType = 'JWT' | 'at+jwt'

const signAsync = promisify(sign)

/** RFC 7518 §3.3 and §3.4 (whose signatures are two numbers side by side), RFC 8037 §3.1. */
const signJws = async (
  algorithm: SigningAlgorithm,
  input: Uint8Array,
  key: KeyObject,
): Promise<Uint8Array> =>
  algorithm === 'EdDSA'
    ? await signAsync(null, input, key)
    : await signAsync('sha256', input, { key, dsaEncoding: 'ieee-p1363' })

/** Signs, and tells what it signs with. The keys change with the clock, and with a reload only. */
export class SigningKeySet {
  readonly #privateKeys: ReadonlyMap<string, KeyObject>
  readonly #clock: Clock
  /** Read once: a signature takes less than reading all these times would. */
  readonly #times: ReadonlyMap<string, SigningKeyTimes>
  readonly #byAlgorithm: ReadonlyMap<SigningAlgorithm, readonly SigningKeyTimes[]>

  constructor({ list, privateKeys }: SigningKeyFolder, clock: Clock) {
    const times = timesOf(list)
    this.#privateKeys = privateKeys
    this.#clock = clock
    this.#times = new Map(times.map((one) => [one.key.kid, one]))
    this.#byAlgorithm = Map.groupBy(times, ({ key }) => key.algorithm)
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
    const now = this.#clock.now()
    return [...this.#times.values()].map((times) => ({ ...times.key, state: stateAt(times, now) }))
  }

  /** The public keys to be published: those that sign, will sign, or have signed what still lives. */
  published(): readonly PublishedKey[] {
    return this.statuses()
      .filter(({ state }) => isPublished(state))
      .map(({ kid, algorithm, jwk }) => ({ ...jwk, kid, alg: algorithm, use: 'sig' }))
  }

  /** Whether the key is published: whether tokens that it signed are accepted. */
  publishes(kid: string): boolean {
    const times = this.#times.get(kid)
    return times !== undefined && isPublished(stateAt(times, this.#clock.now()))
  }

  /** The published keys that sign or have signed, those that sign now first. */
  signers(): readonly TokenSigner[] {
    return this.statuses()
      .filter(({ state }) => state === 'signing' || state === 'retired')
      .toSorted((one, other) => Number(one.state === 'retired') - Number(other.state === 'retired'))
      .map(({ kid, algorithm, jwk, state }) => ({
        kid,
        algorithm,
        signs: state === 'signing',
        publicKey: createPublicKey({ key: { ...jwk }, format: 'jwk' }),
        sign: async (input) => await signJws(algorithm, input, this.#signingAs(kid, algorithm)),
      }))
  }

  #signingAs(kid: string, algorithm: SigningAlgorithm): KeyObject {
    const signing = this.#signing(algorithm)
    if (signing.kid === kid) return signing.key
    throw new CountersignError(
      'signing-keys-invalid',
      `the ${algorithm} key ${kid} does not sign now`,
    )
  }

  /**
   * Signs a token. WebCrypto does it on a thread of its own, so that the event loop is not blocked.
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
    const now = this.#clock.now()
    const signing = this.#byAlgorithm
      .get(algorithm)
      ?.find((times) => stateAt(times, now) === 'signing')
    const key = signing && this.#privateKeys.get(signing.key.kid)
    if (signing === undefined || key === undefined) {
      const message = `there is no ${algorithm} key that signs now; see \`countersign keys signing show\``
      throw new CountersignError('signing-keys-invalid', message)
    }
    return { kid: signing.key.kid, key }
  }
}

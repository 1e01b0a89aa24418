// A JSON Web Key Set (RFC 7517) → keys that verify signatures. Only public keys are accepted, and `x5u` and `x5c` are
// never followed.

import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { canonicalAlgorithm, isAlgorithm, suits, type Algorithm } from '../../keys/algorithm.ts'

/** A key that verifies signatures. */
export interface VerificationKey {
  readonly id: string | undefined
  /** The `alg` of the key; without it, the key is for every algorithm of its type. */
  readonly algorithm: Algorithm | undefined
  readonly key: KeyObject
}

/** The keys of an issuer at one time. */
export class Keys {
  /** A digest of all keys: equal keys have equal versions, in any order. */
  readonly version: string
  readonly #keys: readonly VerificationKey[]
  readonly #fitting = new Map<Algorithm, FittingKeys>()

  constructor(keys: readonly VerificationKey[]) {
    this.#keys = keys
    const parts = keys.map(({ id, algorithm, key }) =>
      JSON.stringify([
        id,
        algorithm,
        key.export({ type: 'spki', format: 'der' }).toString('base64'),
      ]),
    )
    this.version = createHash('sha256')
      .update(JSON.stringify([...new Set(parts)].toSorted()))
      .digest('base64url')
  }

  /** The ids of all keys, in their order. */
  get ids(): readonly (string | undefined)[] {
    return this.#keys.map(({ id }) => id)
  }

  get size(): number {
    return this.#keys.length
  }

  /**
   * The keys that may have made a signature. `kid` is only a hint (RFC 7515 §4.1.4); a token without it is accepted
   * only where exactly one key fits (OIDC Core §10.1).
   */
  candidates(id: string | undefined, algorithm: Algorithm): readonly VerificationKey[] {
    let fitting = this.#fitting.get(algorithm)
    if (fitting === undefined) {
      fitting = fittingOf(this.#keys.filter((key) => isFor(key, algorithm)))
      this.#fitting.set(algorithm, fitting)
    }
    return (id === undefined ? fitting.only : fitting.byId.get(id)) ?? NONE
  }
}

const NONE: readonly VerificationKey[] = []

/** The keys that fit one algorithm: found once, since reading the type of a `KeyObject` is not cheap. */
interface FittingKeys {
  readonly byId: ReadonlyMap<string | undefined, readonly VerificationKey[]>
  /** The key, where there is only one. */
  readonly only: readonly VerificationKey[] | undefined
}

const fittingOf = (keys: readonly VerificationKey[]): FittingKeys => ({
  byId: Map.groupBy(keys, ({ id }) => id),
  only: keys.length === 1 ? keys : undefined,
})

const isFor = ({ algorithm, key }: VerificationKey, wanted: Algorithm): boolean =>
  (algorithm === undefined || canonicalAlgorithm(algorithm) === canonicalAlgorithm(wanted)) &&
  suits(wanted, key)

/** Keys, and those that were ignored, for the operational log. */
export interface KeysReading {
  readonly keys: Keys
  readonly ignored: readonly string[]
}

// Each key costs an import at every refresh, and a comparison at every verification that is not cached.
const MAX_KEYS = 100
// A token is tried with each key of its kid, and any client can present one. RFC 7517 §4.5: kids should differ; some
// issuers use one kid for two key types, or for two rotations.
const MAX_KEYS_OF_KID = 4

/**
 * Reads a key set. Keys of other types and for other uses are ignored (RFC 7517 §5); a document that is not a key set
 * yields `undefined`.
 */
export const readKeys = (document: JsonObject): KeysReading | undefined => {
  const { keys: list } = document
  if (!Array.isArray(list) || list.length > MAX_KEYS) return undefined
  const keys: VerificationKey[] = []
  const ignored: string[] = []
  const counts = new Map<string, number>()
  for (const [index, entry] of list.entries()) {
    const reading = readKey(entry)
    if (typeof reading === 'string') {
      ignored.push(`key ${index} ${reading}`)
      continue
    }
    const count = reading.id === undefined ? 0 : (counts.get(reading.id) ?? 0)
    if (count >= MAX_KEYS_OF_KID) {
      ignored.push(`key ${index} has a kid that ${MAX_KEYS_OF_KID} other keys have`)
      continue
    }
    if (reading.id !== undefined) counts.set(reading.id, count + 1)
    keys.push(reading)
  }
  return { keys: new Keys(keys), ignored }
}

/** The public key of a JWK, or why it is ignored: the end of a sentence, for operators. */
export const readKey = (entry: unknown): VerificationKey | string => {
  if (!isJsonObject(entry)) return 'is not a JSON object'
  const { kid, alg, use, key_ops: operations } = entry
  if (kid !== undefined && typeof kid !== 'string') return 'has a kid that is not a string'
  if (use !== undefined && use !== 'sig') return 'is not for signatures'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'is not for verifying'
  }
  // Every reader of this document could sign tokens with it.
  if ('d' in entry || 'k' in entry) return 'is not public'
  if (alg !== undefined && !isAlgorithm(alg)) return 'is for an algorithm that is not accepted'
  const key = importKey(entry)
  if (key === undefined) return 'is of a type that is not accepted, or broken'
  const weakness = weaknessOf(key)
  if (weakness !== undefined) return weakness
  if (alg !== undefined && !suits(alg, key)) return 'is of another type than its algorithm'
  return { id: kid, algorithm: alg, key }
}

/** The members that define the key, by its type (RFC 7518 §6, RFC 8037 §2). */
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
])

const importKey = (entry: JsonObject): KeyObject | undefined => {
  const members = MEMBERS.get(entry['kty'])
  if (members === undefined) return undefined
  const jwk = Object.fromEntries(['kty', ...members].map((member) => [member, entry[member]]))
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

// RFC 7518 §3.3: at least 2048 bits. The maximum bounds the cost of a verification.
const MIN_MODULUS = 2_048
const MAX_MODULUS = 8_192
const MIN_EXPONENT = 3n // with 1, every message is its own signature
// The cost of a verification grows with the exponent; 64 bits are OpenSSL's own limit for long moduli
// (OPENSSL_RSA_MAX_PUBEXP_BITS). 65537, which nearly all keys have, needs 17.
const MAX_EXPONENT_BITS = 64

const weaknessOf = ({ asymmetricKeyDetails }: KeyObject): string | undefined => {
  const { modulusLength, publicExponent } = asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && (modulusLength < MIN_MODULUS || modulusLength > MAX_MODULUS)) {
    return `has ${modulusLength} bits, where ${MIN_MODULUS} to ${MAX_MODULUS} belong`
  }
  if (publicExponent === undefined) return undefined
  if (publicExponent < MIN_EXPONENT) return 'has no exponent'
  if (publicExponent >> BigInt(MAX_EXPONENT_BITS) > 0n) {
    const bits = publicExponent.toString(2).length
    return `has an exponent of ${bits} bits, where at most ${MAX_EXPONENT_BITS} are accepted`
  }
  return undefined
}

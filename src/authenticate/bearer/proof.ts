// Whether a DPoP proof is valid (RFC 9449 §4.3): the caller holds the key that the token is bound to, and signed this
// request with it a moment ago. Replay detection is left to the caller.

import { createHash } from 'node:crypto'
import type { Request } from '../../request/request.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import {
  canonicalAlgorithm,
  isAlgorithm,
  isSignedBy,
  suits,
  type Algorithm,
} from '../../keys/algorithm.ts'
import { readProofKey, thumbprintOf, type ProofKey } from './proof-key.ts'
import { normalPath, readTargetUri } from './target-uri.ts'
import { readToken } from './token.ts'

/** The requirements of a proof. */
export interface ProofRules {
  readonly algorithms: readonly Algorithm[]
  /** How long a proof is valid after `iat`, in milliseconds. */
  readonly window: number
  /** The tolerated difference of clocks, in milliseconds. */
  readonly skew: number
  /**
   * The origins under which clients address a host, by its name as Envoy receives it; any other host has the origin
   * `https://` and its name.
   */
  readonly origins: ReadonlyMap<string, readonly string[]>
}

/** What a proof must refer to. */
export interface ProofSubject {
  readonly request: Pick<Request, 'method' | 'host' | 'rawPath'>
  /** The access token of the request. */
  readonly token: string
  /** `cnf.jkt` of the token (RFC 9449 §6.1). */
  readonly thumbprint: string
  /** The key of that thumbprint, where it was imported before. */
  readonly key: ProofKey | undefined
}

/** A proof that is valid, if it is used for the first time. */
export interface VerifiedProof {
  readonly key: ProofKey
  /** `jti`. */
  readonly id: string
  /** When its validity ends, in milliseconds since the epoch. */
  readonly until: number
}

/** Longer than any proof with an RSA key of 8192 bits and a path of 2,000 characters. */
export const MAX_PROOF_LENGTH = 8_192

/**
 * Verifies a proof; `undefined` when anything is wrong with it. Pure, except that a signature is verified
 * asynchronously; never rejects.
 *
 * @param now milliseconds since the epoch
 */
export const verifyProof = async (
  text: string,
  subject: ProofSubject,
  rules: ProofRules,
  now: number,
): Promise<VerifiedProof | undefined> => {
  // Checks 2 and 3: a well-formed JWT with all required members (§4.2).
  if (text.length > MAX_PROOF_LENGTH) return undefined
  const reading = readToken(text)
  if (reading.outcome !== 'token') return undefined
  const { header, claims, signed, signature } = reading.token
  const { jti } = claims
  if (typeof jti !== 'string' || jti === '') return undefined
  const until = endOf(claims, rules, now)
  if (until === undefined || !isAbout(claims, subject, rules)) return undefined
  const algorithm = algorithmOf(header, rules)
  const key = keyOf(header['jwk'], subject)
  if (algorithm === undefined || key === undefined || !isFor(key, algorithm)) return undefined
  // Check 6.
  if (!(await isSignedBy(algorithm, key.key, signed, signature))) return undefined
  return { key, id: jti, until }
}

/** Checks 4 and 5; also refuses a header that demands extensions. */
const algorithmOf = (header: JsonObject, { algorithms }: ProofRules): Algorithm | undefined => {
  const { typ, alg } = header
  if (typ !== 'dpop+jwt' || 'crit' in header || 'b64' in header) return undefined
  return isAlgorithm(alg) && algorithms.includes(alg) ? alg : undefined
}

/** Checks 7 and 12b: a public key, and the one that the token is bound to. */
const keyOf = (jwk: unknown, { thumbprint, key }: ProofSubject): ProofKey | undefined => {
  if (!isJsonObject(jwk) || thumbprintOf(jwk) !== thumbprint) return undefined
  return key?.thumbprint === thumbprint ? key : readProofKey(jwk, thumbprint)
}

/** RFC 8725 §3.1: the key determines the algorithm, not only the header. */
const isFor = ({ algorithm, key }: ProofKey, wanted: Algorithm): boolean =>
  (algorithm === undefined || canonicalAlgorithm(algorithm) === canonicalAlgorithm(wanted)) &&
  suits(wanted, key)

/** Checks 8, 9 and 12a: this method, this URI, this token. */
const isAbout = (
  { htm, htu, ath }: JsonObject,
  { request, token }: ProofSubject,
  { origins }: ProofRules,
): boolean => {
  if (htm !== request.method || typeof htu !== 'string') return false
  const target = readTargetUri(htu)
  if (target === undefined || target.path !== normalPath(request.rawPath)) return false
  const expected = origins.get(request.host) ?? [`https://${request.host}`]
  if (!expected.includes(target.origin)) return false
  return ath === createHash('sha256').update(token, 'latin1').digest('base64url')
}

/** Check 11: when its validity ends; `undefined` when it has ended or not yet begun. */
const endOf = (
  { iat, nbf = 0, exp = Number.MAX_SAFE_INTEGER }: JsonObject,
  { window, skew }: ProofRules,
  now: number,
): number | undefined => {
  if (!isTime(iat) || !isTime(nbf) || !isTime(exp)) return undefined
  const begin = Math.max(iat, nbf) * 1_000 - skew
  const end = Math.min(iat * 1_000 + window, exp * 1_000) + skew
  return begin <= now && now < end ? end : undefined
}

// RFC 7519 §2: NumericDate, which may have a fraction.
const isTime = (value: unknown): value is number => typeof value === 'number'

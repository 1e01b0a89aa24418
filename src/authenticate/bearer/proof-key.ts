// The key in the header of a DPoP proof (RFC 9449 §4.2), and the thumbprint by which a token names
// it (RFC 7638).

import { createHash } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { readKey, type VerificationKey } from './keys.ts'

/** A key, and the `cnf.jkt` of a token that is bound to it. */
export interface ProofKey extends VerificationKey {
  readonly thumbprint: string
}

// RFC 7518 §6.2.2, §6.3.2, §6.4.1: a key with one of these members is disclosed.
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The members of the thumbprint by type of key, in the order of the hash (RFC 7638 §3.2). */
const MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['RSA', ['e', 'kty', 'n']],
  ['OKP', ['crv', 'kty', 'x']], // RFC 8037 §2
])

// base64url without padding, and the names of types and curves: characters that JSON does not escape.
const VALUE = /^[\w-]{1,1400}$/ // 8192 bits are 1366 characters

/** The SHA-256 thumbprint of a public key; `undefined` where it is not a key, or not only public. */
export const thumbprintOf = (jwk: unknown): string | undefined => {
  const members = isJsonObject(jwk) ? MEMBERS.get(jwk['kty']) : undefined
  if (!isJsonObject(jwk) || members === undefined) return undefined
  if (PRIVATE.some((member) => member in jwk)) return undefined
  const values = members.map((member) => [member, jwk[member]] as const)
  if (!values.every(([, value]) => typeof value === 'string' && VALUE.test(value))) return undefined
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(values)))
    .digest('base64url')
}

/** The key of that thumbprint; `undefined` where it is weak, malformed or not for signatures. */
export const readProofKey = (jwk: JsonObject, thumbprint: string): ProofKey | undefined => {
  const key = readKey(jwk)
  return typeof key === 'string' ? undefined : { ...key, thumbprint }
}

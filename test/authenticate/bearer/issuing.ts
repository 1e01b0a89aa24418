// A token issuer. jose makes the valid tokens; malformed ones are assembled part by part.

import { sign as signBytes, KeyObject, type JsonWebKey } from 'node:crypto'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { fixedKeySet, type KeySet } from '../../../src/authenticate/bearer/key-set.ts'

export const ISSUER = 'https://login.example.org/realms/staff'
export const AUDIENCE = 'kubernetes'

/** When the fake clock starts, in seconds; tokens are valid for five minutes around it. */
export const NOW = Date.UTC(2026, 0, 1) / 1_000

/** The claims of alice's token. */
export const claimsOf = (changes: Readonly<Record<string, unknown>> = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'alice',
  iat: NOW,
  exp: NOW + 300,
  ...changes,
})

/** A key pair of an issuer. */
export interface IssuerKey {
  readonly algorithm: string
  readonly kid: string
  /** As it is published. */
  readonly jwk: JsonWebKey
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** A token made by jose. */
  token(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>
}

/** Makes a key pair. */
export const makeKey = async (algorithm = 'ES256', kid = 'k1'): Promise<IssuerKey> => {
  const pair = await generateKeyPair(algorithm, { extractable: true })
  return {
    algorithm,
    kid,
    jwk: { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' },
    publicKey: KeyObject.from(pair.publicKey),
    privateKey: KeyObject.from(pair.privateKey),
    token: async (claims = claimsOf(), header = {}) =>
      await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: algorithm, kid, ...header })
        .sign(pair.privateKey),
  }
}

/** A key set document. */
export const jwksOf = (...keys: readonly IssuerKey[]): string =>
  JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })

/** The same, as a key set. */
export const keySetOf = (...keys: readonly IssuerKey[]): KeySet =>
  fixedKeySet('keys.json', Buffer.from(jwksOf(...keys)))

/** base64url, as JOSE has it. */
export const encode = (bytes: string | Uint8Array): string =>
  Buffer.from(bytes).toString('base64url')

/** A token of any header and claims, with a valid signature (ES256). */
export const signedText = ({ privateKey }: IssuerKey, header: string, claims: string): string => {
  const signed = `${encode(header)}.${encode(claims)}`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${signed}.${encode(signBytes('sha256', Buffer.from(signed), key))}`
}

/** The header of {@link signedText}, with more members. */
export const headerText = (more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ alg: 'ES256', kid: 'k1', ...more })

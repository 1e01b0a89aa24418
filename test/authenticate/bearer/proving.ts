// A caller with a key of its own. The good proofs are made by jose, the bad ones piece by piece.

import { createHash, KeyObject, type JsonWebKey } from 'node:crypto'
import { calculateJwkThumbprint, CompactSign, exportJWK, generateKeyPair } from 'jose'
import type { BearerOptions } from '../../../src/authenticate/bearer/authenticator.ts'
import type { DpopOptions } from '../../../src/authenticate/bearer/dpop.ts'
import type { ProofSubject } from '../../../src/authenticate/bearer/proof.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { ProcessReplayMemory } from '../../../src/state/replay-memory.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { requestOf, type RequestParts } from '../../fakes/envoy.ts'
import { NOW } from './issuing.ts'

/** Members of a header or of claims; `undefined` leaves one out. */
export type Members = Readonly<Record<string, unknown>>

/** The key of a caller. */
export interface Caller {
  readonly algorithm: string
  readonly jwk: JsonWebKey
  readonly privateJwk: JsonWebKey
  readonly privateKey: KeyObject
  /** RFC 7638, as jose has it. */
  readonly thumbprint: string
  /** A proof for `GET https://app.example.org/` and this token. */
  proof(token: string, claims?: Members, header?: Members): Promise<string>
}

/** Makes a caller. */
export const makeCaller = async (algorithm = 'ES256', modulusLength = 2_048): Promise<Caller> => {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength })
  const jwk = await exportJWK(pair.publicKey)
  return {
    algorithm,
    jwk,
    privateJwk: await exportJWK(pair.privateKey),
    privateKey: KeyObject.from(pair.privateKey),
    thumbprint: await calculateJwkThumbprint(jwk),
    proof: async (token, claims = {}, header = {}) =>
      await new CompactSign(Buffer.from(JSON.stringify({ ...claimsOf(token), ...claims })))
        .setProtectedHeader({ alg: algorithm, typ: 'dpop+jwt', jwk, ...header })
        .sign(pair.privateKey),
  }
}

let proofs = 0

/** The claims of a proof, with an identifier of its own. */
export const claimsOf = (token: string): Members => ({
  jti: `proof-${(proofs += 1)}`,
  htm: 'GET',
  htu: 'https://app.example.org/',
  iat: NOW,
  ath: createHash('sha256').update(token).digest('base64url'),
})

/** The plainest rules: every algorithm, no skew. */
export const RULES: Pick<DpopOptions, 'algorithms' | 'window' | 'skew' | 'origins' | 'require'> = {
  algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  window: 60_000,
  skew: 0,
  origins: new Map(),
  require: false,
}

/** The options of a bearer authenticator that checks proofs. */
export const provable = (
  options: Partial<DpopOptions> = {},
  clock: Clock = new FakeClock(),
): Pick<BearerOptions, 'dpop' | 'clock'> => ({
  clock,
  dpop: { ...RULES, clock, replays: new ProcessReplayMemory(clock), ...options },
})

/** What a proof of a caller for a token has to be about. */
export const subjectOf = (
  { thumbprint }: Pick<Caller, 'thumbprint'>,
  token: string,
  parts: RequestParts = {},
): ProofSubject => ({ request: requestOf(parts), token, thumbprint, key: undefined })

/** The lines of a request that shows a token and a proof. */
export const presentedWith = (
  token: string,
  proof: string,
): readonly (readonly [string, string])[] => [
  ['authorization', `DPoP ${token}`],
  ['dpop', proof],
]

// Signing keys that exist in memory alone.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import type { SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import { SigningKeySet } from '../../src/keys/signing-key-set.ts'
import {
  formatSigningKeys,
  parseSigningKeys,
  type SigningKeyEntry,
} from '../../src/keys/signing-keys.ts'
import type { Clock } from '../../src/runtime/clock.ts'

/** A key, and its entry in the list. */
export interface MadeKey {
  readonly entry: SigningKeyEntry
  readonly privateKey: KeyObject
}

const pairOf = (algorithm: SigningAlgorithm) => {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2_048 })
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
  }
}

/** Makes a key that signs from then on; milliseconds since the epoch. */
export const madeKey = async (algorithm: SigningAlgorithm, signsFrom = 0): Promise<MadeKey> => {
  const { publicKey, privateKey } = pairOf(algorithm)
  const jwk = publicKey.export({ format: 'jwk' })
  const instant = new Date(signsFrom).toISOString()
  const list = {
    version: 1,
    keys: [
      {
        kid: await calculateJwkThumbprint(jwk),
        algorithm,
        jwk,
        created: instant,
        signsFrom: instant,
      },
    ],
  }
  const [entry] = parseSigningKeys('made', JSON.stringify(list)).keys
  if (entry === undefined) throw new Error('no key')
  return { entry, privateKey }
}

/** The set of these keys. */
export const signingKeysOf = (keys: readonly MadeKey[], clock: Clock): SigningKeySet => {
  const text = formatSigningKeys({ version: 1, keys: keys.map(({ entry }) => entry) })
  const privateKeys = new Map(keys.map(({ entry, privateKey }) => [entry.kid, privateKey]))
  return new SigningKeySet({ list: parseSigningKeys('made', text), privateKeys }, clock)
}

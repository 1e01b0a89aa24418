// Makes signing keys. Nothing here is written anywhere.

import { generateKeyPair, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto'
import { promisify } from 'node:util'
import type { SigningAlgorithm } from './mint-schema.ts'
import { publicJwkOf, thumbprintOf, type PublicJwk } from './public-key.ts'

/** The public half of a key that was made. */
export interface MadeSigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly jwk: PublicJwk
}

/** A fresh key. */
export interface NewSigningKey extends MadeSigningKey {
  /** A `KeyObject` never prints its bytes. */
  readonly privateKey: KeyObject
}

const generate = promisify(generateKeyPair)

// RFC 7518 §3.3 requires 2048 bits, and NIST accepts them until 2030 (SP 800-57 part 1, §5.6.1): longer
// than any key here signs. With 3072 a signature takes two and a half times as long (0.6 ms), and
// adds 170 characters to a header of every request.
const RSA_BITS = 2_048

/** Makes a key, on a thread of its own. */
export const newSigningKey = async (algorithm: SigningAlgorithm): Promise<NewSigningKey> => {
  for (;;) {
    const { privateKey } = await pairFor(algorithm)
    const jwk = publicJwkOf(privateKey)
    if (jwk === undefined) throw new Error(`no JWK for ${algorithm}`)
    const kid = thumbprintOf(jwk)
    // On a command line a name that begins with "-" would be an option.
    if (!kid.startsWith('-')) return { kid, algorithm, jwk, privateKey }
  }
}

const pairFor = (algorithm: SigningAlgorithm): Promise<KeyPairKeyObjectResult> => {
  switch (algorithm) {
    case 'ES256':
      return generate('ec', { namedCurve: 'P-256' })
    case 'RS256':
      return generate('rsa', { modulusLength: RSA_BITS })
    case 'EdDSA':
      return generate('ed25519')
  }
}

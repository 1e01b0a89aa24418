// Us as an issuer of tokens: our name, and the keys that sign.

import type { SigningAlgorithm } from '../../config/mint-schema.ts'
import type { Config } from '../../config/schema.ts'
import { readSigningKeys } from '../../keys/signing-key-folder.ts'
import { SigningKeySet } from '../../keys/signing-key-set.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { AuthenticatorParts } from '../authenticators/parts.ts'

/** An issuer of tokens. */
export interface Issuer {
  /** `iss`. */
  readonly url: string
  readonly keys: SigningKeySet
  /** For how long upstreams may keep the key set, in milliseconds. */
  readonly maxAge: number
}

/** Reads the keys; `undefined` where no issuer is configured, or there are problems. */
export const buildIssuer = async (
  { issuer }: Pick<Config, 'issuer'>,
  { problems, files, clock }: Pick<AuthenticatorParts, 'problems' | 'files' | 'clock'>,
): Promise<Issuer | undefined> => {
  if (issuer === undefined) return undefined
  const { url, keys: folder, maxAge } = issuer
  return await problems.collect(['issuer', 'keys'], async () => {
    const keys = new SigningKeySet(await readSigningKeys(folder, files, clock.now()), clock)
    return { url, keys, maxAge }
  })
}

/**
 * Looks whether there is a key for what is to be signed.
 *
 * @throws CountersignError `configuration-invalid` where there is none
 */
export const requireKey = ({ keys }: Issuer, algorithm: SigningAlgorithm): void => {
  if (keys.algorithms.has(algorithm)) return
  throw new CountersignError(
    'configuration-invalid',
    `is signed with ${algorithm}, for which there is no key in issuer.keys; make one with \`countersign keys signing create\``,
  )
}

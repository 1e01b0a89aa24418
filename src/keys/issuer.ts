// The issuer of tokens: its URL, and the keys that sign.

import type { SigningAlgorithm } from './mint-schema.ts'
import type { ConfigurationFiles } from '../config/files.ts'
import type { ProblemList } from '../config/problem-list.ts'
import type { Clock } from '../runtime/clock.ts'
import { readSigningKeys } from './signing-key-folder.ts'
import type { SigningKeySet } from './signing-key-set.ts'
import { CountersignError } from '../runtime/errors.ts'

/** An issuer of tokens. */
export interface Issuer {
  /** `iss`. */
  readonly url: string
  readonly keys: SigningKeySet
  /** For how long upstreams may keep the key set, in milliseconds. */
  readonly maxAge: number
}

/** The settings of the `issuer` section for the keys. */
interface IssuerKeysConfig {
  readonly url: string
  /** The folder of the signing keys. */
  readonly keys: string
  /** Milliseconds. */
  readonly maxAge: number
}

interface IssuerParts {
  readonly files: ConfigurationFiles
  readonly problems: ProblemList
  readonly clock: Clock
}

/** Reads the keys; `undefined` where no issuer is configured, or there are problems. */
export const buildIssuer = async (
  issuer: IssuerKeysConfig | undefined,
  { problems, files, clock }: IssuerParts,
): Promise<Issuer | undefined> => {
  if (issuer === undefined) return undefined
  const { url, keys: folder, maxAge } = issuer
  // With the library that signs, which is loaded where an issuer is configured.
  const { SigningKeySet } = await import('./signing-key-set.ts')
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

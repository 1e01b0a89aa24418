// The keyring of a configuration, read: authz and the signer name the same file.

import type { ConfigurationFiles } from '../config/files.ts'
import { describeReference, readForgingSecret } from '../config/secret.ts'
import type { SecretReference } from '../config/values.ts'
import { parseGrantKeys } from '../keys/grant-keys.ts'
import type { GrantSeal } from './seal.ts'

/**
 * Reads the keys that seal and open grants.
 *
 * @throws CountersignError `file-unreadable`, `file-exposed`, `grant-keys-invalid`
 */
export const readGrantSeal = async (
  keyring: SecretReference,
  files: ConfigurationFiles,
): Promise<GrantSeal> => {
  const text = await readForgingSecret(keyring, files, 'the keyring of certificate grants')
  // With the libraries that encode and seal, which are loaded where there is a keyring.
  const { GrantSeal } = await import('./seal.ts')
  return new GrantSeal(parseGrantKeys(describeReference(keyring), text.toString('utf8')))
}

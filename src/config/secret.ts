// Secrets by reference: the configuration says where, and only the code that needs one reads it.

import { CountersignError } from '../runtime/errors.ts'
import type { ConfigurationFiles } from './files.ts'
import type { SecretReference } from './values.ts'

/**
 * The secret behind a reference.
 *
 * @throws CountersignError `file-unreadable`, also for an environment variable that is not set
 */
export const readSecret = async (
  reference: SecretReference,
  files: ConfigurationFiles,
): Promise<Buffer> =>
  reference.kind === 'file' ? await files.read(reference.path) : readVariable(reference)

/**
 * A secret by which identities can be forged. A file that other users may read is refused.
 *
 * @param what the secret, for the message
 * @throws CountersignError `file-unreadable`, `file-exposed`
 */
export const readForgingSecret = async (
  reference: SecretReference,
  files: ConfigurationFiles,
  what: string,
): Promise<Buffer> =>
  reference.kind === 'file'
    ? await files.readForgingKey(reference.path, what)
    : readVariable(reference)

const readVariable = (reference: SecretReference & { readonly kind: 'environment' }): Buffer => {
  const value = process.env[reference.variable]
  if (value === undefined || value === '') {
    throw new CountersignError(
      'file-unreadable',
      `the environment variable ${reference.variable} is not set`,
    )
  }
  return Buffer.from(value)
}

/** Where a secret is, for messages. */
export const describeReference = (reference: SecretReference): string =>
  reference.kind === 'file' ? reference.path : `the environment variable ${reference.variable}`

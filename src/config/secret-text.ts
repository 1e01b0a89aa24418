// Secrets as they are used: without the line's end that editors put after them.

import type { ConfigurationFiles } from './files.ts'
import { readSecret } from './secret.ts'
import type { SecretReference } from './values.ts'
import { CountersignError } from '../runtime/errors.ts'

/** A secret less one line's end. */
export const withoutLineEnd = (bytes: Buffer): Buffer => {
  const end = /\r?\n$/.exec(bytes.toString('latin1'))?.[0].length ?? 0
  return bytes.subarray(0, bytes.length - end)
}

/** The text of a secret, less one line's end. */
export const secretText = (bytes: Buffer): string => withoutLineEnd(bytes).toString('utf8')

/**
 * Reads a secret.
 *
 * @throws CountersignError `file-unreadable`, `configuration-invalid` when it is empty
 */
export const readSecretText = async (
  reference: SecretReference,
  files: ConfigurationFiles,
): Promise<string> => {
  const text = secretText(await readSecret(reference, files))
  if (text === '') {
    const where = reference.kind === 'file' ? reference.path : reference.variable
    throw new CountersignError('configuration-invalid', `${where} is empty, where a secret belongs`)
  }
  return text
}

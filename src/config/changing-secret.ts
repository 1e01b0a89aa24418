// A secret that another program replaces from time to time, such as the token of a service account. It is read
// apart from the files of the configuration, since a new token every hour should not cause a reload.

import { ConfigurationFiles } from './files.ts'
import type { SecretReference } from './values.ts'
import { ChangingFile } from '../runtime/changing-file.ts'
import type { Clock } from '../runtime/clock.ts'
import { readSecretText, secretText } from './secret-text.ts'

/** Such a secret. */
export interface ChangingSecret {
  /** What it is now, less one line's end; it may be empty, or anything else by now. */
  readonly read: () => Promise<string>
  /** Forgets the value, which the server no longer accepts: the next read takes it from the file. */
  readonly expire: () => void
}

// The kubelet replaces a token after four fifths of its life, which leaves at least ten
// minutes: a value so old is always still valid.
const KNOWN_FOR_MS = 10_000

/**
 * Reads the secret, and follows its file.
 *
 * @throws CountersignError `file-unreadable`, `configuration-invalid` when it is empty
 */
export const changingSecret = async (
  reference: SecretReference,
  clock: Clock,
): Promise<ChangingSecret> => {
  const text = await readSecretText(reference, new ConfigurationFiles())
  if (reference.kind === 'environment') {
    return { read: () => Promise.resolve(text), expire: () => undefined }
  }
  const file = new ChangingFile({ path: reference.path, every: KNOWN_FOR_MS, clock })
  return {
    read: async () => secretText(await file.read()),
    expire: () => file.expire(),
  }
}

// A secret of ours that somebody else replaces now and then, such as the token of a service account:
// not by the files of the configuration, since a new one every hour is no reason to reload it.

import { ConfigurationFiles } from './files.ts'
import type { SecretReference } from './values.ts'
import { ChangingFile } from '../runtime/changing-file.ts'
import type { Clock } from '../runtime/clock.ts'
import { readSecretText, secretText } from './secret-text.ts'

/** Such a secret. */
export interface ChangingSecret {
  /** What it is now, less one line's end; it may be empty, or anything else by now. */
  readonly read: () => Promise<string>
  /** It is not good any more: the next time it is read anew. */
  readonly expire: () => void
}

// The kubelet replaces a token when four fifths of its life are over, which is ten minutes at the
// least: whoever looks this often is never late.
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

// Folders of signing keys with real files in them.

import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SIGNING_KEY_LIST, signingKeyFile } from '../../src/keys/signing-key-folder.ts'
import { formatSigningKeys } from '../../src/keys/signing-keys.ts'
import type { MadeKey } from './signing-keys.ts'

/** Writes the private half of a key. */
export const writePrivateKey = async (folder: string, { entry, privateKey }: MadeKey) => {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(signingKeyFile(folder, entry.kid), pem, { mode: 0o600 })
}

/** Puts a list of these keys in the place of the one that is there, in one step. */
export const writeList = async (folder: string, keys: readonly MadeKey[]) => {
  const text = formatSigningKeys({ version: 1, keys: keys.map(({ entry }) => entry) })
  const part = join(folder, '.part')
  await writeFile(part, text, { mode: 0o644 })
  await rename(part, join(folder, SIGNING_KEY_LIST))
}

/** Writes these keys and their list, as the command would. */
export const writeSigningKeys = async (folder: string, keys: readonly MadeKey[]) => {
  await Promise.all(keys.map((key) => writePrivateKey(folder, key)))
  await writeList(folder, keys)
}

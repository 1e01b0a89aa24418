// A folder of signing keys, as `countersign keys signing` makes it.

import { mkdir, rename, writeFile } from 'node:fs/promises'
import { SIGNING_KEY_LIST, signingKeyFile } from '../../src/keys/signing-key-folder.ts'
import { formatSigningKeys } from '../../src/keys/signing-keys.ts'
import type { MadeKey } from '../fakes/signing-keys.ts'

/** Writes exactly these keys, in one step for readers of the list. */
export const writeSigningKeys = async (folder: string, keys: readonly MadeKey[]): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const { entry, privateKey } of keys) {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    await writeFile(signingKeyFile(folder, entry.kid), pem, { mode: 0o600 })
  }
  const list = formatSigningKeys({ version: 1, keys: keys.map(({ entry }) => entry) })
  const part = `${folder}/part`
  await writeFile(part, list)
  await rename(part, `${folder}/${SIGNING_KEY_LIST}`)
}

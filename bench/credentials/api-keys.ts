// API keys, of a file. Nothing is remembered of them: a key is found by one hash.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { hashOf, newApiKey } from '../../src/authenticate/api-key/key.ts'
import { GROUPS } from '../site.ts'
import type { StartScheme } from './scheme.ts'

/** Keys in a header of their own. */
export const apiKeys: StartScheme = async (installation, users) => {
  const keys = new Map(users.map((user) => [user, newApiKey(user)]))
  const entries = Array.from(
    keys,
    ([user, key]) => [user, { hash: hashOf(key), user, groups: GROUPS }] as const,
  )
  const file = installation.file('api-keys.yaml')
  const document = { keys: Object.fromEntries(entries) }
  await writeFile(file, stringify(document, { aliasDuplicateObjects: false }))
  return {
    name: 'API key',
    authenticators: () => [{ apiKey: { file } }],
    credential: (user) => ({ headers: [['x-api-key', keys.get(user) ?? '']] }),
    proofs: 'many',
    remembers: false,
  }
}

// Writes a file that holds secrets: for its owner alone, and in one step.

import { randomUUID } from 'node:crypto'
import { chown, open, rename, rm, stat } from 'node:fs/promises'

const OWNER_ONLY = 0o600

/**
 * Puts a file there, or in the place of the one that is there, with mode 0600 whatever it was before: a
 * reader sees the old content or the new one, and nothing between. The owner stays who it was.
 */
export const writePrivately = async (file: string, text: string): Promise<void> => {
  const part = `${file}.${randomUUID()}.part`
  try {
    const handle = await open(part, 'wx', OWNER_ONLY)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    const before = await stat(file).catch(() => undefined)
    const own = process.geteuid?.()
    if (before !== undefined && before.uid !== own) await chown(part, before.uid, before.gid)
    await rename(part, file)
  } finally {
    await rm(part, { force: true })
  }
}

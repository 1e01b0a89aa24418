// How a command changes a file that a running service watches.

import { chown, chmod, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Replaces the content in one step, with owner and mode as they were: a reader sees the old one or
 * the new one, and nothing between.
 */
export const replaceFile = async (file: string, text: string): Promise<void> => {
  const { mode, uid, gid } = await stat(file)
  const part = join(dirname(file), `.${process.pid}.part`)
  try {
    const handle = await open(part, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chown(part, uid, gid)
    await chmod(part, mode)
    await rename(part, file)
  } finally {
    await rm(part, { force: true })
  }
}

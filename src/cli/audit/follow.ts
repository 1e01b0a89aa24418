// The bytes of a log as it grows, over its rotation.

import { open, stat, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../runtime/errors.ts'

const POLL_MS = 250
const READ_BYTES = 262_144

/**
 * The file from its beginning, and what is appended to it, without end: also after it was renamed and begun anew.
 *
 * The iteration throws what opening the file throws.
 */
export async function* followChunks(path: string): AsyncGenerator<Uint8Array, void> {
  let handle = await open(path)
  try {
    for (;;) {
      yield* restOf(handle)
      const next = await nextOf(path, handle)
      if (next === undefined) {
        await sleep(POLL_MS)
        continue
      }
      yield* restOf(handle) // written between the last read and the renaming
      await handle.close()
      handle = next
      yield Buffer.from('\n') // its last line may have no end
    }
  } finally {
    await handle.close()
  }
}

async function* restOf(handle: FileHandle): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const bytes = Buffer.allocUnsafe(READ_BYTES)
    const { bytesRead } = await handle.read(bytes, 0, READ_BYTES)
    if (bytesRead === 0) return
    yield bytes.subarray(0, bytesRead)
  }
}

/** The file that has the name now, where it is another one. */
const nextOf = async (path: string, handle: FileHandle): Promise<FileHandle | undefined> => {
  try {
    const [now, old] = await Promise.all([stat(path), handle.stat()])
    const isSame = now.ino === old.ino && now.dev === old.dev
    return isSame ? undefined : await open(path)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined // between renaming and opening
    throw cause
  }
}

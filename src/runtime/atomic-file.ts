// Replaces a file in one step. The draft is created exclusively under a random name, so that a prepared
// file or link is never written to, and is flushed before it is renamed.

import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'

/** Modes of files that {@link replaceFile} writes. */
export interface ReplaceOptions {
  /** Default: the mode of the file that is replaced, or 0600 for a new file. */
  readonly mode?: number
}

/** The mode of files that hold secrets. */
export const OWNER_ONLY = 0o600
const GROUP_AND_OTHER = 0o077

/**
 * Writes a file, or replaces it under its owner: a reader sees the old content or the new content, and
 * nothing in between. A link is replaced, not followed.
 */
export const replaceFile = async (
  file: string,
  text: string,
  options: ReplaceOptions = {},
): Promise<void> => {
  const before = await stat(file).catch(() => undefined)
  const mode = options.mode ?? (before === undefined ? OWNER_ONLY : before.mode % 0o10000)
  const draft = `${file}.${randomUUID()}.part`
  try {
    await writeDraft(draft, text, mode, before)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

const writeDraft = async (
  draft: string,
  text: string,
  mode: number,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Promise<void> => {
  await using handle = await open(draft, 'wx', OWNER_ONLY)
  await handle.writeFile(text)
  const { uid, gid } = await handle.stat()
  // The group of a file that only its owner may access has no effect, and may be one that we cannot set.
  // oxlint-disable-next-line no-bitwise -- a file mode
  const isShared = (mode & GROUP_AND_OTHER) !== 0
  if (owner !== undefined && (uid !== owner.uid || (isShared && gid !== owner.gid))) {
    await handle.chown(owner.uid, owner.gid)
  }
  await handle.chmod(mode) // which the umask may have reduced
  await handle.sync()
}

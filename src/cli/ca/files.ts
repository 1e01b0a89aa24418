// Writes keys and certificates: whole or not at all, and over nothing that is there.

import { lstat, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { replaceFile } from '../../runtime/atomic-file.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { lockFolder } from '../folder-lock.ts'
import { usageError } from '../usage-error.ts'

/** A file to write. */
export interface NewFile {
  readonly name: string
  readonly text: string
  /** `0600` for private keys, which is also what they have while they are written; one that is replaced keeps 0640. */
  readonly mode: 0o600 | 0o644
}

// It holds private keys.
const FOLDER_MODE = 0o700

/**
 * Writes files into a folder, which is made if it is not there. One command at a time does that, so that
 * a key and a certificate that do not belong together are never left behind.
 *
 * @param make makes the files; called once it is sure that they may be written
 * @returns their paths
 * @throws CountersignError `usage`, and nothing is written
 */
export const writeFiles = async (
  folder: string,
  names: readonly string[],
  force: boolean,
  make: () => Promise<readonly NewFile[]>,
): Promise<readonly string[]> => {
  await writable(folder, async () => await mkdir(folder, { recursive: true, mode: FOLDER_MODE }))
  await using lock = await writable(folder, async () => await lockFolder(folder))
  if (!force) for (const name of names) await requireAbsent(join(folder, name))
  const files = await make()
  await lock.confirm()
  const paths = files.map(({ name }) => join(folder, name))
  for (const { name, text, mode } of files) {
    const path = join(folder, name)
    await writable(path, async () => {
      await replaceFile(path, text, { mode: (await groupMode(path)) ?? mode })
    })
  }
  return paths
}

// A key that a group may read (src/tools/validation: the modes that a start accepts), such as that of Envoy.
const GROUP_READS = 0o640

/** The mode of a file that is replaced, where a group may read it and other users may not: the group continues to. */
const groupMode = async (path: string): Promise<number | undefined> => {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && found.mode % 0o1000 === GROUP_READS ? GROUP_READS : undefined
}

/** Writes one file that holds no secret. */
export const writePublicFile = async (
  path: string,
  text: string,
  force: boolean,
): Promise<void> => {
  if (!force) await requireAbsent(path)
  await writable(dirname(path), async () => {
    await replaceFile(path, text, { mode: 0o644 })
  })
}

const requireAbsent = async (path: string): Promise<void> => {
  const found = await lstat(path).catch(() => undefined)
  if (found !== undefined) {
    throw usageError(
      `${path} exists already and is not replaced. Choose another place, or add --force`,
    )
  }
}

const writable = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    throw new CountersignError('usage', `${path} cannot be written: ${describeError(cause)}`, {
      cause,
    })
  }
}

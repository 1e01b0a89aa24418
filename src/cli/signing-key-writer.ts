// Changes a folder of signing keys atomically: it writes private keys, replaces the list by renaming, and
// removes keys that the list no longer names. A reader sees the old folder or the new one; a crash leaves
// at most a file that no list names.

import {
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { join } from 'node:path'
import { newSigningKey, type NewSigningKey } from '../keys/new-signing-key.ts'
import { keptPrivateKeys, type SigningKeyChange } from '../keys/signing-key-changes.ts'
import { SIGNING_KEY_LIST, signingKeyFile } from '../keys/signing-key-folder.ts'
import {
  formatSigningKeys,
  NO_SIGNING_KEYS,
  parseSigningKeys,
  type SigningKeyList,
} from '../keys/signing-keys.ts'
import { replaceFile } from '../runtime/atomic-file.ts'
import { CountersignError, describeError, hasCode } from '../runtime/errors.ts'
import { lockFolder, type FolderLock } from './folder-lock.ts'
import { usageError } from './usage-error.ts'

/** A change. */
export interface FolderChange {
  /** The folder, as given. */
  readonly folder: string
  /** @throws CountersignError `usage` for an impossible change */
  readonly plan: (list: SigningKeyList, now: number) => SigningKeyChange
  /** Creates a missing folder, for private keys of this file mode. */
  readonly make?: { readonly mode: number | undefined }
}

/** The result of a change. */
export interface FolderChanged {
  /** The real path of the folder. */
  readonly folder: string
  readonly before: SigningKeyList
  readonly after: SigningKeyList
  /** The private keys that were removed, by `kid`. */
  readonly removed: readonly string[]
  /** The time of the change, in milliseconds since the epoch. */
  readonly now: number
}

/**
 * Changes a folder, or leaves it as it was.
 *
 * @throws CountersignError `usage`, `file-unreadable`, `signing-keys-invalid`
 */
export const changeSigningKeys = async (change: FolderChange): Promise<FolderChanged> => {
  try {
    const folder = await openFolder(change)
    await using lock = await lockFolder(folder)
    return await changeLocked(folder, change, lock)
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    const message = `${change.folder} cannot be changed: ${describeError(cause)}`
    throw new CountersignError('usage', message, { cause })
  }
}

const changeLocked = async (
  folder: string,
  { plan, make }: FolderChange,
  lock: FolderLock,
): Promise<FolderChanged> => {
  const path = join(folder, SIGNING_KEY_LIST)
  const found = await readList(path)
  if (found === undefined && make === undefined) throw missing(path, folder)
  const before = found ?? NO_SIGNING_KEYS
  const now = Date.now()
  const { needs, apply } = plan(before, now)
  const made: NewSigningKey[] = []
  for (const algorithm of needs) made.push(await newSigningKey(algorithm))
  const after = apply(made)
  const access = await accessIn(folder, before, make?.mode)
  for (const { kid, privateKey } of made) {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    await writeNew(signingKeyFile(folder, kid), pem, access)
  }
  const text = formatSigningKeys(after)
  if (found === undefined || text !== formatSigningKeys(found)) {
    await syncFolder(folder)
    await lock.confirm()
    if (found === undefined) await makeList(path, text, access)
    else await replaceFile(path, text)
    await syncFolder(folder)
  }
  // Without a list, an existing file may be the last copy of a key.
  const removed = found === undefined ? [] : await sweep(folder, after, now)
  return { folder, before, after, removed, now }
}

const READ_BY_GROUP = 0o040

const openFolder = async ({ folder, make }: FolderChange): Promise<string> => {
  const found = await realpath(folder).catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  })
  if (found === undefined) {
    if (make === undefined) throw missing(folder, folder)
    await makeFolder(folder, make.mode)
    return await realpath(folder)
  }
  if (!(await stat(found)).isDirectory()) throw usageError(`${folder} is not a folder`)
  return found
}

const makeFolder = async (folder: string, fileMode = 0o600): Promise<void> => {
  // Readers of the keys need access to the folder.
  const mode = (fileMode & READ_BY_GROUP) === 0 ? 0o700 : 0o750
  try {
    await mkdir(folder, { mode })
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return // by another command, a moment ago
    throw cause
  }
  await chmod(folder, mode) // which the umask may have reduced
}

const missing = (path: string, folder: string): CountersignError =>
  new CountersignError(
    'file-unreadable',
    `${path} does not exist; \`countersign keys signing create ${folder}\` makes it`,
  )

const readList = async (path: string): Promise<SigningKeyList | undefined> => {
  try {
    if ((await lstat(path)).isSymbolicLink()) {
      throw usageError(
        `${path} is a link, as in a mounted Secret: change the folder that it was made from`,
      )
    }
    return parseSigningKeys(path, await readFile(path, 'utf8'))
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}

/** Owner and mode of a file. */
interface Access {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

const PRIVATE_MODES = 0o640

/**
 * A new key has the owner and mode of the last one, or authz could not read it. The first key has the
 * owner of the folder.
 */
const accessIn = async (
  folder: string,
  { keys }: SigningKeyList,
  asked: number | undefined,
): Promise<Access> => {
  for (const { kid } of keys.toReversed()) {
    const found = await stat(signingKeyFile(folder, kid)).catch(() => undefined)
    if (found !== undefined) {
      const { mode, uid, gid } = found
      return { mode: asked ?? mode & PRIVATE_MODES, uid, gid }
    }
  }
  const { uid, gid } = await stat(folder)
  return { mode: asked ?? 0o600, uid, gid }
}

const writeNew = async (
  path: string,
  content: string | Buffer,
  { mode, uid, gid }: Access,
): Promise<void> => {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    if (process.geteuid?.() === 0) await handle.chown(uid, gid) // only root can
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const PUBLIC_MODE = 0o644

/** The first list, atomically. */
const makeList = async (path: string, text: string, access: Access): Promise<void> => {
  const part = `${path}.part`
  await rm(part, { force: true })
  await writeNew(part, text, { ...access, mode: PUBLIC_MODE })
  await rename(part, path)
}

/** Ensures that the list is never on disk before the keys that it names. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch {
    // Not every file system can; it matters only for a loss of power.
  } finally {
    await handle.close()
  }
}

const PRIVATE_KEY = /^([\w-]{43})\.pem$/

// Remains of commands that failed. This command holds the lock of the folder.
const REMAINS = /^(keys\.json(\..+)?\.part|\.lock\..+)$/

/** Removes private keys that no longer sign, or that no list names; returns their names. */
const sweep = async (
  folder: string,
  list: SigningKeyList,
  now: number,
): Promise<readonly string[]> => {
  const kept = keptPrivateKeys(list, now)
  const removed: string[] = []
  for (const name of await readdir(folder)) {
    const kid = PRIVATE_KEY.exec(name)?.[1]
    const isNeeded = kid === undefined ? !REMAINS.test(name) : kept.has(kid)
    if (isNeeded) continue
    await rm(join(folder, name), { force: true }) // the draft of a waiting lock may be removed already
    if (kid !== undefined) removed.push(kid)
  }
  return removed
}

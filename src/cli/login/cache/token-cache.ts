// The tokens of logins, one file each, with mode 0600. A file that other users could read or write is
// refused and not repaired, since its tokens may be known already.

import { constants } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OWNER_ONLY, replaceFile } from '../../../runtime/atomic-file.ts'
import { CountersignError, describeError, hasCode } from '../../../runtime/errors.ts'
import { acquireFileLock, type FileLock, type LockOptions } from '../../../runtime/file-lock.ts'
import { formatLogin, parseLogin, type Login } from '../login-record.ts'
import { nameOf, type LoginRequest } from '../login-request.ts'

/** A file of the cache. */
export type CacheEntry =
  | { readonly file: string; readonly outcome: 'login'; readonly login: Login }
  | { readonly file: string; readonly outcome: 'unusable'; readonly why: string }

const OTHERS = 0o077
const FOLDER_MODE = 0o700
const SUFFIX = '.json'
// Tokens of some providers carry hundreds of groups.
const MAX_BYTES = 1_048_576

/** The cache in one folder. */
export class TokenCache {
  readonly folder: string

  /** @param folder need not be there yet */
  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * The login for a request, or `undefined` when there is none.
   *
   * @throws CountersignError `file-unreadable` when other users have access to it, or it is damaged
   */
  async read(request: LoginRequest): Promise<Login | undefined> {
    if (!(await this.#isThere())) return undefined
    return await this.#readFile(this.#fileOf(request), request)
  }

  /**
   * Creates the folder when it does not exist.
   *
   * @throws CountersignError `file-unreadable` when it cannot be created, or other users have access to it
   */
  async prepare(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: FOLDER_MODE })
    } catch (cause) {
      throw unreadable(`${this.folder} cannot be created: ${describeError(cause)}`, cause)
    }
    await this.#isThere()
  }

  /** Writes a login, or replaces it. */
  async write(login: Login): Promise<void> {
    await this.prepare()
    await replaceFile(this.#fileOf(login), formatLogin(login), { mode: OWNER_ONLY })
  }

  /**
   * Waits for the lock on the login of a request; `undefined` when it is not released in that time. Most
   * providers accept a refresh token once, and end the login when it is used twice.
   */
  async lock(request: LoginRequest, options: LockOptions): Promise<FileLock | undefined> {
    await this.prepare()
    return await acquireFileLock(join(this.folder, `${nameOf(request)}.lock`), options)
  }

  /** Every login in the cache, and every unusable file. */
  async list(): Promise<readonly CacheEntry[]> {
    if (!(await this.#isThere())) return []
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(SUFFIX)).toSorted()
    return await Promise.all(names.map((name) => this.#entry(join(this.folder, name))))
  }

  /** Removes a file that {@link TokenCache.list} named. */
  async remove({ file }: CacheEntry): Promise<void> {
    await rm(file, { force: true })
  }

  #fileOf(request: LoginRequest): string {
    return join(this.folder, `${nameOf(request)}${SUFFIX}`)
  }

  async #entry(file: string): Promise<CacheEntry> {
    try {
      const login = await this.#readFile(file)
      return login === undefined
        ? { file, outcome: 'unusable', why: `${file} was removed meanwhile` }
        : { file, outcome: 'login', login }
    } catch (cause) {
      if (!(cause instanceof CountersignError)) throw cause
      return { file, outcome: 'unusable', why: cause.message }
    }
  }

  /** Whether the folder exists; throws when other users have access to it. */
  async #isThere(): Promise<boolean> {
    const status = await stat(this.folder).catch((cause: unknown) => {
      if (isMissing(cause)) return undefined
      throw unreadable(`${this.folder} cannot be read: ${describeError(cause)}`, cause)
    })
    if (status === undefined) return false
    if (!status.isDirectory())
      throw unreadable(`${this.folder} is not a folder: remove or rename it`)
    const fault = faultOf(status)
    if (fault === undefined) return true
    throw unreadable(
      `${this.folder} ${fault}, so other users may know its tokens: \`chmod 700 ${this.folder}\`, then \`countersign logout --all\`, which revokes them, and log in again`,
    )
  }

  async #readFile(file: string, request?: LoginRequest): Promise<Login | undefined> {
    const text = await readPrivately(file)
    if (text === undefined) return undefined
    const login = parseLogin(text)
    // A renamed file would send the tokens of one server to another.
    const belongs = login !== undefined && file.endsWith(`${nameOf(request ?? login)}${SUFFIX}`)
    if (belongs && nameOf(login) === nameOf(request ?? login)) return login
    throw unreadable(`${file} is damaged; \`countersign login\` replaces it`)
  }
}

const readPrivately = async (file: string): Promise<string | undefined> => {
  try {
    // A link is not followed: its target was not written by this cache.
    // oxlint-disable-next-line no-bitwise -- flags of open(2)
    const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    try {
      const status = await handle.stat()
      const fault = status.isFile() ? faultOf(status) : 'is not a regular file'
      if (fault !== undefined) {
        throw unreadable(
          `${file} ${fault}, so other users may know its tokens: \`chmod 600 ${file}\`, then \`countersign logout\`, which revokes them, and log in again`,
        )
      }
      if (status.size > MAX_BYTES) throw unreadable(`${file} is larger than a file of tokens`)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (isMissing(cause)) return undefined
    if (cause instanceof CountersignError) throw cause
    throw unreadable(`${file} cannot be read: ${describeError(cause)}`, cause)
  }
}

/** Why other users have access, or `undefined` when they have none. */
const faultOf = ({
  mode,
  uid,
}: {
  readonly mode: number
  readonly uid: number
}): string | undefined => {
  // Windows has no modes; files inherit the access control list of the folder.
  if (process.platform === 'win32') return undefined
  if (uid !== process.geteuid?.()) return 'belongs to another user'
  // oxlint-disable-next-line no-bitwise -- a file mode
  return (mode & OTHERS) === 0 ? undefined : `has mode 0${(mode % 0o1000).toString(8)}`
}

const isMissing = (cause: unknown): boolean => hasCode(cause, 'ENOENT')

const unreadable = (message: string, cause?: unknown): CountersignError =>
  new CountersignError('file-unreadable', message, { cause })

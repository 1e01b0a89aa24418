// The tokens of logins, a file each, for their owner alone. What others could have read or put there is
// refused, not repaired: it may be in their hands already.

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
   * @throws CountersignError `file-unreadable` when it is not for us alone, or damaged
   */
  async read(request: LoginRequest): Promise<Login | undefined> {
    if (!(await this.#isThere())) return undefined
    return await this.#readFile(this.#fileOf(request), request)
  }

  /**
   * Makes the folder where it is not there.
   *
   * @throws CountersignError `file-unreadable` when that cannot be, or it is not for us alone
   */
  async prepare(): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: FOLDER_MODE })
    } catch (cause) {
      throw unreadable(`${this.folder} cannot be made: ${describeError(cause)}`, cause)
    }
    await this.#isThere()
  }

  /** Keeps a login, in place of the one that was there. */
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

  /** Every login that is kept, and every file that is none any more. */
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
        ? { file, outcome: 'unusable', why: `${file} is gone` }
        : { file, outcome: 'login', login }
    } catch (cause) {
      if (!(cause instanceof CountersignError)) throw cause
      return { file, outcome: 'unusable', why: cause.message }
    }
  }

  /** Says whether the folder is there; throws when it is not for us alone. */
  async #isThere(): Promise<boolean> {
    const status = await stat(this.folder).catch((cause: unknown) => {
      if (isMissing(cause)) return undefined
      throw unreadable(`${this.folder} cannot be read: ${describeError(cause)}`, cause)
    })
    if (status === undefined) return false
    if (!status.isDirectory())
      throw unreadable(`${this.folder} is no folder: move it out of the way`)
    const fault = faultOf(status)
    if (fault === undefined) return true
    throw unreadable(
      `${this.folder} ${fault}, so others may know the tokens in it: \`chmod 700 ${this.folder}\`, then \`countersign logout --all\`, which revokes them, and log in again`,
    )
  }

  async #readFile(file: string, request?: LoginRequest): Promise<Login | undefined> {
    const text = await readPrivately(file)
    if (text === undefined) return undefined
    const login = parseLogin(text)
    // A file that was renamed would show the tokens of one server to another.
    const belongs = login !== undefined && file.endsWith(`${nameOf(request ?? login)}${SUFFIX}`)
    if (belongs && nameOf(login) === nameOf(request ?? login)) return login
    throw unreadable(`${file} is damaged; \`countersign login\` writes it anew`)
  }
}

const readPrivately = async (file: string): Promise<string | undefined> => {
  try {
    // Not through a link: what it leads to is not where we put it.
    // oxlint-disable-next-line no-bitwise -- flags of open(2)
    const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    try {
      const status = await handle.stat()
      const fault = status.isFile() ? faultOf(status) : 'is no file'
      if (fault !== undefined) {
        throw unreadable(
          `${file} ${fault}, so others may know the tokens in it: \`chmod 600 ${file}\`, then \`countersign logout\`, which revokes them, and log in again`,
        )
      }
      if (status.size > MAX_BYTES) throw unreadable(`${file} is too large to be ours`)
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

/** Why what is there is not for us alone, or `undefined` when it is. */
const faultOf = ({
  mode,
  uid,
}: {
  readonly mode: number
  readonly uid: number
}): string | undefined => {
  // Windows has no modes; the folder's list of rights, which its files inherit, is for its user.
  if (process.platform === 'win32') return undefined
  if (uid !== process.geteuid?.()) return 'belongs to another user'
  // oxlint-disable-next-line no-bitwise -- a file mode
  return (mode & OTHERS) === 0 ? undefined : `has mode 0${(mode % 0o1000).toString(8)}`
}

const isMissing = (cause: unknown): boolean => hasCode(cause, 'ENOENT')

const unreadable = (message: string, cause?: unknown): CountersignError =>
  new CountersignError('file-unreadable', message, { cause })

// The compile cache of Node, by which a process starts in about half of the time from its second start on.
//
// What is in the folder is executed: Node checks it against the source, but not who wrote it. Node's default is a folder in
// the shared temporary folder, which another user can create first. So the folder is one below the user's own
// cache, and it is used only where no other user can write to it or replace it.

import { mkdirSync, realpathSync, statSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

const PRIVATE = 0o700
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** The part of `process` that decides about the cache. */
type CacheProcess = Pick<NodeJS.Process, 'env' | 'platform'>

/**
 * Enables the compile cache for modules that are loaded later. Without a safe folder there is no cache. Never throws.
 * `NODE_COMPILE_CACHE` (another folder, which Node opened already) and `NODE_DISABLE_COMPILE_CACHE` are respected.
 */
export const cacheCompiledCode = ({ env, platform }: CacheProcess = process): void => {
  if (env['NODE_DISABLE_COMPILE_CACHE'] !== undefined || getCompileCacheDir() !== undefined) return
  // The modes of files do not say who may write on Windows.
  if (platform === 'win32') return
  try {
    const folder = cacheFolder(env)
    mkdirSync(folder, { recursive: true, mode: PRIVATE })
    if (isPrivate(folder)) enableCompileCache(folder)
  } catch {
    // A file system that is read-only, a user without a home: the start takes longer.
  }
}

/** `$XDG_CACHE_HOME/countersign/compiled`; `~/.cache` where the variable is not an absolute path (XDG Base Directory Specification). */
const cacheFolder = ({ XDG_CACHE_HOME: xdg = '' }: NodeJS.ProcessEnv): string =>
  join(isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'countersign', 'compiled')

/**
 * Whether the folder belongs to this user, and no other user can write to it, or to a folder above it and so replace it. The
 * superuser can. In a folder with the sticky bit, only the owner of an entry can replace the entry (POSIX `rmdir`).
 *
 * @throws Error with the code of the system call
 */
export const isPrivate = (path: string, user = process.getuid?.()): boolean => {
  let folder = realpathSync(path)
  const { uid, mode } = statSync(folder)
  if (uid !== user || (mode & WRITABLE_BY_OTHERS) !== 0) return false
  for (let above = dirname(folder); above !== folder; folder = above, above = dirname(above)) {
    const parent = statSync(above)
    if (parent.uid !== user && parent.uid !== 0) return false
    if ((parent.mode & WRITABLE_BY_OTHERS) !== 0 && (parent.mode & STICKY) === 0) return false
  }
  return true
}

// Why a file cannot be made or written, with what to do about it. Node's texts name a system call.

import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { describeError, hasCode } from './errors.ts'

/**
 * The reason for which a file could not be opened for writing, or made.
 *
 * @param cause what Node threw; of another kind, its own text is the reason
 */
export const describeFileFault = (path: string, cause: unknown): string => {
  const folder = dirname(path)
  if (hasCode(cause, 'EISDIR')) return `${path} is a folder, not a file`
  if (hasCode(cause, 'ENOENT')) return `the folder ${folder} does not exist: make it`
  // Node's mkdir reports EEXIST where the last part is a file.
  if (hasCode(cause, 'ENOTDIR', 'EEXIST')) return `${fileAbove(path)} is a file, not a folder`
  if (hasCode(cause, 'EACCES', 'EPERM')) {
    return `${path} may not be written by this user; check its owner and mode, and those of its folder`
  }
  if (hasCode(cause, 'EROFS')) return `${path} is on a file system that is mounted read-only`
  if (hasCode(cause, 'ENOSPC', 'EDQUOT')) return `no space is left for ${path}`
  return describeError(cause)
}

/** The part of a path that is a file in the place of a folder. */
const fileAbove = (path: string): string => {
  let above = dirname(path)
  while (!isFile(above) && dirname(above) !== above) above = dirname(above)
  return isFile(above) ? above : dirname(path)
}

const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

// Folders that have to be there before a start, or that a start can make.

import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from '../../runtime/errors.ts'
import { errorAt, warningAt, type Finding } from './finding.ts'
import type { NamedFile } from './named-files.ts'

/** A file that is appended to, whose folder is not made. */
export const appendedFindings = async ({ path, file }: NamedFile): Promise<readonly Finding[]> => {
  const folder = dirname(file)
  const kind = await kindOf(folder)
  if (kind === undefined) return [errorAt(path, `the folder ${folder} does not exist: make it`)]
  if (kind === 'file') return [errorAt(path, `${folder} is a file, not a folder`)]
  const existing = await kindOf(file)
  if (existing === 'folder') return [errorAt(path, `${file} is a folder, not a file`)]
  // A lock is made in the folder, against a second writer.
  const ofFolder = await writable(path, folder)
  return existing === 'file' ? [...(await writable(path, file)), ...ofFolder] : ofFolder
}

/** A file whose folder is made when it is missing. */
export const madeFindings = async ({ path, file }: NamedFile): Promise<readonly Finding[]> => {
  if ((await kindOf(file)) === 'folder') return [errorAt(path, `${file} is a folder, not a file`)]
  let folder = dirname(file)
  while ((await kindOf(folder)) === undefined && dirname(folder) !== folder)
    folder = dirname(folder)
  if ((await kindOf(folder)) === 'file') return [errorAt(path, `${folder} is a file, not a folder`)]
  return await writable(path, folder)
}

/** A warning, since the service may run as another user. */
const writable = async (path: NamedFile['path'], place: string): Promise<readonly Finding[]> => {
  try {
    await access(place, constants.W_OK)
    return []
  } catch {
    return [warningAt(path, `${place} may not be written by this user; check its owner and mode`)]
  }
}

const kindOf = async (path: string): Promise<'file' | 'folder' | undefined> => {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined
    throw cause
  }
}

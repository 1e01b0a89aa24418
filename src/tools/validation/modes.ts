// Modes of files that hold secrets. Those by which identities can be forged are refused where they are read
// (config/file-modes.ts).

import { stat } from 'node:fs/promises'
import { octal } from '../../config/file-modes.ts'
import { warningAt, type Finding } from './finding.ts'
import type { NamedFile } from './named-files.ts'

const READABLE_BY_OTHERS = 0o004

/** A secret that every user can read. */
export const secretFindings = async ({ path, file }: NamedFile): Promise<readonly Finding[]> => {
  const mode = await modeOf(file)
  if (mode === undefined || (mode & READABLE_BY_OTHERS) === 0) return []
  const message = `${file} has mode ${octal(mode)}: every user of this machine can read the secret (chmod 0600)`
  return [warningAt(path, message)]
}

/** `undefined` where there is no such file, which is a problem of its own, or modes mean nothing. */
const modeOf = async (file: string): Promise<number | undefined> => {
  if (process.platform === 'win32') return undefined
  try {
    const found = await stat(file)
    return found.isFile() ? found.mode : undefined
  } catch {
    return undefined
  }
}

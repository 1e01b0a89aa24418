// Modes of files: who but their owner may read keys, or change what decides who comes in.

import { stat } from 'node:fs/promises'
import { errorAt, warningAt, type Finding } from './finding.ts'
import type { NamedFile } from './named-files.ts'

const WRITABLE_BY_GROUP = 0o020
const OTHERS = 0o007
const WRITABLE_BY_OTHERS = 0o002
const READABLE_BY_OTHERS = 0o004

/**
 * A key by which anyone forges identities: the key of a CA, or the keyring of grants. Only its owner, and at most its
 * group, may read it.
 */
export const forgingKeyFindings = async (
  { path, file }: NamedFile,
  what: string,
): Promise<readonly Finding[]> => {
  const mode = await modeOf(file)
  if (mode === undefined || (mode & (OTHERS | WRITABLE_BY_GROUP)) === 0) return []
  const message = `${file} has mode ${shown(mode)}: ${what} is for its owner, and at most for its group to read (chmod 0600; of a Kubernetes secret "defaultMode: 0400", or 0440 with fsGroup)`
  return [errorAt(path, message)]
}

/** Another secret. */
export const secretFindings = async ({ path, file }: NamedFile): Promise<readonly Finding[]> => {
  const mode = await modeOf(file)
  if (mode === undefined || (mode & READABLE_BY_OTHERS) === 0) return []
  const message = `${file} has mode ${shown(mode)}: every user of this machine can read the secret (chmod 0600)`
  return [warningAt(path, message)]
}

/** Any file that decides who comes in: with write permission everyone on the machine could. */
export const writableFindings = async ({ path, file }: NamedFile): Promise<readonly Finding[]> => {
  const mode = await modeOf(file)
  if (mode === undefined || (mode & WRITABLE_BY_OTHERS) === 0) return []
  const message = `${file} has mode ${shown(mode)}: every user of this machine can change it (chmod o-w)`
  return [errorAt(path, message)]
}

/** `undefined` where there is no such file, which is a problem of its own, or modes mean nothing. */
const modeOf = async (file: string): Promise<number | undefined> => {
  if (process.platform === 'win32') return undefined
  try {
    const found = await stat(file)
    return found.isFile() ? found.mode & 0o777 : undefined
  } catch {
    return undefined
  }
}

const shown = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`

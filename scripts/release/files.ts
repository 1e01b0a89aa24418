// Files of the clone and of made folders, as entries of an archive.

import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Entry } from './tar.ts'

/** Every file below a folder, in the order of the paths, below `to` in the archive. */
export const filesBelow = async (folder: string, to = ''): Promise<readonly Entry[]> => {
  const names = globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((name) => name.split(sep).join('/'))
    .toSorted()
  return await Promise.all(
    names.map(async (name) => ({
      path: `${to}${name}`,
      content: await readFile(join(folder, name)),
    })),
  )
}

/** An entry with a text. */
export const text = (path: string, content: string, mode?: number): Entry => ({
  path,
  content: Buffer.from(content),
  ...(mode === undefined ? {} : { mode }),
})

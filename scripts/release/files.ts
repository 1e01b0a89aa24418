// Files of the clone and of made folders, as entries of an archive.

import { globSync } from 'node:fs'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
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

/** Writes an entry of an archive below a folder; it belongs to the user of this process. */
export const writeEntry = async (root: string, { path, content, mode }: Entry): Promise<void> => {
  const file = join(root, path)
  await mkdir(path.endsWith('/') ? file : dirname(file), { recursive: true, mode: 0o755 })
  if (Buffer.isBuffer(content)) await writeFile(file, content)
  else if (content !== undefined) return await symlink(content.link, file)
  await chmod(file, mode ?? (path.endsWith('/') ? 0o755 : 0o644))
}

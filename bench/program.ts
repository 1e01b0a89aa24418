// The program that is measured: what users install, made once for each run, or the source of the clone.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { partsOf } from '../scripts/release/parts.ts'
import { programEntries } from '../scripts/release/program.ts'
import { releaseOf } from '../scripts/release/release-info.ts'

/** How `countersign` is started: Node with this script, and these variables in addition to its environment. */
export interface Program {
  readonly script: string
  readonly environment: NodeJS.ProcessEnv
  readonly kind: 'bundle' | 'source'
}

const SOURCE: Program = {
  script: join(import.meta.dirname, '../src/countersign.ts'),
  environment: {},
  kind: 'source',
}

let program = SOURCE

/** The program of this run; the source until {@link useInstalledProgram}. */
export const programOfRun = (): Program => program

/**
 * Writes the files of the Debian package and the image into an empty folder, and has every later service run them. Code that Node
 * has compiled is kept there, too, as a user's is in the user's own cache.
 */
export const useInstalledProgram = async (folder: string): Promise<void> => {
  const { files } = await partsOf(releaseOf(), join(folder, 'made'))
  for (const { path, content, mode } of await programEntries(files, 'installed/')) {
    if (!(content instanceof Uint8Array)) continue
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { mode: mode ?? 0o644 })
  }
  program = {
    script: join(folder, 'installed/bin/countersign.js'),
    environment: { XDG_CACHE_HOME: join(folder, 'cache') },
    kind: 'bundle',
  }
}

// The program as it is installed without npm: the files of the npm package and its native modules for this platform.

import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NATIVE } from './bundle.ts'
import { ROOT } from './root.ts'
import type { Entry } from './tar.ts'

/** The end of the names of npm packages with programs for this platform: Linux on glibc. */
const PLATFORM = `linux-${process.arch}-gnu`

/** The files below `to`, which ends with a slash. */
export const programEntries = async (
  files: readonly Entry[],
  to: string,
): Promise<readonly Entry[]> => {
  const modules = NATIVE.flatMap((name) => [name, `${name}-${PLATFORM}`]).flatMap((name) =>
    // No types, no text for readers of a registry.
    globSync('{*.js,*.node,package.json,LICENSE*}', { cwd: join(ROOT, 'node_modules', name) })
      .filter((file) => file !== 'browser.js')
      .map((file) => `node_modules/${name}/${file}`),
  )
  return [
    ...files.filter(({ path }) => !path.endsWith('.md')),
    ...(await Promise.all(
      modules.map(async (path) => ({ path, content: await readFile(join(ROOT, path)) })),
    )),
  ].map((entry) => ({ ...entry, path: `${to}${entry.path}` }))
}

// An import that a library leaves to its users: tsyringe throws where reflect-metadata was not loaded before it. In a bundle with
// splitting, modules of two parts are not in the order of the statements of a third, so the library itself imports it.

import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

/** Has tsyringe (a part of `@peculiar/x509`) import reflect-metadata. */
export const reflectMetadataFirst: Plugin = {
  name: 'reflect-metadata-first',
  setup(build) {
    build.onLoad({ filter: /\/tsyringe\/dist\/[^/]+\/index\.js$/ }, async ({ path }) => ({
      contents: `import 'reflect-metadata'\n${await readFile(path, 'utf8')}`,
    }))
  },
}

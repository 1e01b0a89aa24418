// The JavaScript of a release: `src/` and its libraries as modules in one flat folder, split so that a process loads
// only what its command and its configuration need.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { reflectMetadataFirst } from './import-order.ts'
import { keptNames } from './kept-names.ts'
import { nodeBuiltins } from './node-builtins.ts'
import { ROOT } from './root.ts'

/** Packages with programs for each platform, which npm installs next to the bundle. */
export const NATIVE: readonly string[] = ['@node-rs/argon2', '@node-rs/bcrypt']

/** The oldest Node that the bundle runs on: `node:sqlite` without a flag, Zstandard. */
export const OLDEST_NODE = '22.15.0'

/** Threads, which are files of their own, next to the modules that start them. */
export const THREADS = {
  'yaml-worker': 'src/config/yaml-worker.ts',
  'forward-worker': 'src/audit/forward/forward-worker.ts',
  worker: 'src/request/openapi/worker.ts',
}

// CommonJS libraries call `require` for modules of Node.
const REQUIRE = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)`

/** Writes the bundle to an empty folder, and tells what each file was made of. */
export const writeBundle = async (folder: string): Promise<Metafile> => {
  await rm(folder, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { countersign: 'src/countersign.ts', ...THREADS },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${OLDEST_NODE}`,
    chunkNames: 'part-[hash]',
    inject: [join(ROOT, 'scripts/release/node-22.ts')],
    external: [...NATIVE],
    // ES modules where a package has both: what is not used is left out, and nothing is required by a computed name.
    mainFields: ['module', 'main'],
    plugins: [nodeBuiltins, reflectMetadataFirst, keptNames],
    banner: { js: REQUIRE },
    // Names of variables stay, for stack traces and profiles; see keptNames for those of classes.
    minifyWhitespace: true,
    minifySyntax: true,
    // THIRD-PARTY-NOTICES has every licence.
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  return metafile
}

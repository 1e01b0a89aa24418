// A single executable for this platform: Node with the program in it (Node, single executable applications), for machines without
// Node. Tests run that of Linux on x86-64.

import { execFileSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build as bundle, type Plugin } from 'esbuild'
import { NATIVE, OLDEST_NODE, THREADS } from './bundle.ts'
import { reflectMetadataFirst } from './import-order.ts'
import { keptNames } from './kept-names.ts'
import { nodeBuiltins } from './node-builtins.ts'
import { strippedNode } from './node.ts'
import { ROOT } from './root.ts'

const NAMESPACE = 'single-executable'

// Threads and native modules are assets of the program.
const single: Plugin = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: /^node:worker_threads$/, namespace: 'file' }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: NAMESPACE } : undefined,
    )
    build.onResolve({ filter: /^@node-rs\// }, ({ path }) => ({ path, namespace: NAMESPACE }))
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
      contents: NATIVE.includes(path) ? nativeOfAsset(path) : THREADS_OF_ASSETS,
      loader: 'js',
    }))
  },
}

const THREADS_OF_ASSETS = `const threads = process.getBuiltinModule('node:worker_threads')
const { getAsset, isSea } = process.getBuiltinModule('node:sea')
class Worker extends threads.Worker {
  constructor(url, options) {
    if (isSea()) super(getAsset(String(url).split('/').at(-1), 'utf8'), { ...options, eval: true })
    else super(url, options)
  }
}
module.exports = { ...threads, Worker }`

// The system loads a native module from a file: one in a new folder that only this user can enter, for a moment.
const nativeOfAsset = (
  name: string,
): string => `const { mkdtempSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs')
const { tmpdir } = process.getBuiltinModule('node:os')
const { join } = process.getBuiltinModule('node:path')
const { getRawAsset } = process.getBuiltinModule('node:sea')
const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
try {
  const file = join(folder, 'native.node')
  writeFileSync(file, new Uint8Array(getRawAsset(${JSON.stringify(name)})), { mode: 0o700 })
  process.dlopen(module, file)
} finally {
  rmSync(folder, { recursive: true })
}`

/** The end of the names of npm packages with native modules for this platform. */
const NATIVE_PLATFORM = `${process.platform}-${process.arch}${{ linux: '-gnu', win32: '-msvc' }[process.platform as string] ?? ''}`

// node:sea reads it from the program by this name.
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/** The program. @param work a folder for intermediate files */
export const executable = async (work: string): Promise<Buffer> => {
  await bundleTo(join(work, 'single'))
  const threads = Object.keys(THREADS).map((name) => [`${name}.js`, `single/${name}.js`] as const)
  const natives = NATIVE.map((name) => [name, nativeFile(name)] as const)
  // Relative names: the program has them in it.
  const config = {
    main: 'single/countersign.js',
    output: 'sea.blob',
    disableExperimentalSEAWarning: true,
    assets: Object.fromEntries([...threads, ...natives]),
  }
  await writeFile(join(work, 'sea.json'), JSON.stringify(config))
  await writeFile(join(work, 'countersign'), await strippedNode(work), { mode: 0o755 })
  const node = (...args: readonly string[]): void =>
    void execFileSync(process.execPath, args, { cwd: work, stdio: 'pipe' })
  node('--experimental-sea-config', 'sea.json')
  // A signature is of the bytes without the program.
  if (isMac) execFileSync('codesign', ['--remove-signature', 'countersign'], { cwd: work })
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : []
  // postject warns about notes of the stripped program.
  node(POSTJECT, 'countersign', 'NODE_SEA_BLOB', 'sea.blob', '--sentinel-fuse', FUSE, ...segment)
  if (isMac) execFileSync('codesign', ['--sign', '-', 'countersign'], { cwd: work })
  return await readFile(join(work, 'countersign'))
}

const isMac = process.platform === 'darwin'

/** What the name of the program ends with. */
export const EXECUTABLE_SUFFIX = `${process.platform}-${process.arch}${process.platform === 'win32' ? '.exe' : ''}`

const POSTJECT = join(ROOT, 'node_modules/postject/dist/cli.js')

const nativeFile = (name: string): string => {
  const folder = join(ROOT, 'node_modules', `${name}-${NATIVE_PLATFORM}`)
  const [file] = globSync('*.node', { cwd: folder })
  if (file === undefined) throw new Error(`${folder} has no native module`)
  return join(folder, file)
}

const bundleTo = async (folder: string): Promise<void> => {
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: { countersign: 'scripts/release/single.ts', ...THREADS },
    outdir: folder,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: `node${OLDEST_NODE}`,
    mainFields: ['module', 'main'],
    plugins: [nodeBuiltins, reflectMetadataFirst, keptNames, single],
    define: {
      'import.meta.url': '"file:///countersign.js"',
      'import.meta.filename': '"/countersign.js"',
      'import.meta.dirname': '"/"',
    },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  })
}

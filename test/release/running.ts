// Runs the bundle of a release as processes of their own.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Metafile } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')
const execute = promisify(execFile)

/** Makes artefacts of a release, as `npm run release` does: all, or some kinds of them. */
export const releaseTo = async (dist: string, ...kinds: readonly string[]): Promise<void> => {
  const only = kinds.flatMap((kind) => ['--only', kind])
  await execute(process.execPath, [join(ROOT, 'scripts/release.ts'), dist, ...only])
}

const RECORDER = pathToFileURL(join(import.meta.dirname, '../fakes/record-files.ts')).href

/** A configuration that takes tokens whose keys are in a file, and needs nothing else. */
export const TOKENS = `
version: 1
listen: { authz: "127.0.0.1:0" }
authenticators:
  staff: { bearer: { issuer: https://ci.example.org, audiences: [app], keys: { file: keys.json } } }
routes:
  - name: app
    authenticate: [staff]
    authorize: [{ allow: all }]
    forward: { headers: kubernetes }
audit: { file: audit.jsonl }
log: { level: error }
`

/** What a process has used. */
export interface Use {
  /** CPU time until it was ready, or until its end, in milliseconds. Linux counts it in steps of 10. */
  readonly cpu: number
  /** Resident memory at that time, in MB. */
  readonly memory: number
  /** The exit code. */
  readonly code?: unknown
}

const ENVIRONMENT = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' }

/** Starts a service of the bundle, waits until it is ready and idle, and ends it after `meanwhile`. */
export const useOfService = async (
  command: string,
  args: readonly string[],
  node: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  meanwhile = async (): Promise<void> => undefined,
): Promise<Use> => {
  const child = spawn(process.execPath, [...node, command, ...args], {
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errors = ''
  child.stderr?.on('data', (data: Buffer) => (errors += data.toString('utf8')))
  const ended = once(child, 'exit')
  await Promise.race([once(child, 'message'), ended.then(() => assert.fail(errors))])
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  try {
    await meanwhile()
  } finally {
    child.kill('SIGTERM')
  }
  const [code] = await ended
  // proc_pid_stat(5): utime and stime are the 12th and 13th fields after the command's name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) * 10,
    code,
    memory: Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1_000,
  }
}

const REPORT = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write("cpu " + (user + system)) })',
)}`

/** Runs a command of the bundle to its end. */
export const runOf = async (
  command: string,
  args: readonly string[],
): Promise<{ readonly cpu: number; readonly status: unknown; readonly stderr: string }> => {
  const child = spawn(process.execPath, ['--import', REPORT, command, ...args], {
    env: ENVIRONMENT,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString('utf8')))
  child.stdin.end('a password\n')
  const [status] = await once(child, 'close')
  return { status, stderr, cpu: Number(/cpu (\d+)$/.exec(stderr)?.[1]) / 1_000 }
}

/** The options of Node by which a process of the bundle records what it loads. */
export const recordingTo = (
  file: string,
): { readonly node: readonly string[]; readonly env: NodeJS.ProcessEnv } => ({
  node: ['--import', RECORDER],
  env: { LOADED_FILES: file },
})

/** The packages of which there is code in files of the bundle. */
export const packagesIn = (metafile: Metafile, files: readonly string[]): ReadonlySet<string> =>
  new Set(
    Object.entries(metafile.outputs)
      .filter(([output]) => files.some((file) => output.endsWith(`/${file}`)))
      .flatMap(([, { inputs }]) => Object.keys(inputs))
      .flatMap((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  )

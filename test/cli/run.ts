// Runs the command: in the process of the test, or as users do, in its own.

import { spawn, type ChildProcess } from 'node:child_process'
import { Console } from 'node:console'
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { CommandProcess } from '../../src/cli/context.ts'
import { main } from '../../src/cli/main.ts'

const ROOT = join(import.meta.dirname, '../..')
const COMMAND = join(ROOT, 'src/countersign.ts')

/** How a command ended and what it said. */
export interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

// Colours and a configuration in the environment of the tests must not change the results. The
// cache halves the time that each process takes to start.
const environment = (): NodeJS.ProcessEnv => {
  const {
    COUNTERSIGN_CONFIG: _,
    COUNTERSIGN_SIGNER_CONFIG: __,
    FORCE_COLOR: ___,
    ...rest
  } = process.env
  return { ...rest, NO_COLOR: '1', NODE_COMPILE_CACHE: join(ROOT, '.cache/compile') }
}

/**
 * Runs a command to its end, in this process: a process for each costs more than all that most of them do.
 * What the operational log says goes to the standard error of this process.
 */
export const countersign = async (
  args: readonly string[],
  input = '',
  env = environment(),
): Promise<Result> => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const output = Promise.all([text(stdout), text(stderr)])
  const process: CommandProcess = {
    argv: ['node', COMMAND, ...args],
    env,
    stdin: Readable.from([Buffer.from(input)], { objectMode: false }),
    stdout,
    stderr,
  }
  await main({ process, console: new Console({ stdout, stderr }) })
  stdout.end()
  stderr.end()
  const [out, err] = await output
  return { status: Number(process.exitCode ?? 0), stdout: out, stderr: err }
}

/** Runs a command to its end, in a process of its own. */
export const countersignProcess = async (
  args: readonly string[],
  input = '',
  node: readonly string[] = [],
): Promise<Result> => {
  const child = spawn(process.execPath, [...node, COMMAND, ...args], { env: environment() })
  child.stdin.end(input)
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { status: typeof status === 'number' ? status : null, stdout, stderr }
}

/** A running `countersign authz` or `countersign signer`. */
export interface RunningService extends AsyncDisposable {
  signal(signal: NodeJS.Signals): void
  /** Ends it and gives what it said. */
  end(): Promise<Result>
}

/** Starts a service and waits until it listens. */
export const startService = async (
  service: 'authz' | 'signer',
  config: string,
): Promise<RunningService> => {
  const child: ChildProcess = spawn(process.execPath, [COMMAND, service, '--config', config], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('a pipe is missing')
  const said = Promise.all([text(stdout), text(stderr)])
  const ended = once(child, 'exit')
  const end = async (): Promise<Result> => {
    child.kill('SIGTERM')
    const [[out, err], [status]] = await Promise.all([said, ended])
    return { status: typeof status === 'number' ? status : null, stdout: out, stderr: err }
  }
  await Promise.race([
    once(child, 'message'),
    ended.then(async () => {
      throw new Error(`${service} ended: ${(await said).join('\n')}`)
    }),
  ])
  return {
    signal: (signal) => child.kill(signal),
    end,
    [Symbol.asyncDispose]: async () => void (await end()),
  }
}

/** Starts `countersign authz` and waits until it listens. */
export const startAuthzCommand = async (config: string): Promise<RunningService> =>
  await startService('authz', config)

/** The objects in a text of JSON lines. */
export const jsonLines = (output: string): readonly Record<string, unknown>[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line))

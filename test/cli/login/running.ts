// The commands with a separate home folder; as processes, with a reader of their output while they run.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { countersign, type Result } from '../run.ts'

const ROOT = join(import.meta.dirname, '../../..')
const COMMAND = join(ROOT, 'src/countersign.ts')

/** A command that runs. */
export interface Running extends AsyncDisposable {
  /** Resolves with the first match in what it says on standard error; rejects when it ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
  signal(signal: NodeJS.Signals): void
  /** How it ended; `status` is `null` when a signal ended it. */
  readonly ended: Promise<Result & { readonly signal: NodeJS.Signals | null }>
}

/** What it runs with. */
export interface RunOptions {
  /** The state folder (XDG_STATE_HOME). */
  readonly state: string
  readonly environment?: NodeJS.ProcessEnv
}

const environmentOf = ({ state, environment = {} }: RunOptions): NodeJS.ProcessEnv => {
  const { PATH, HOME } = process.env
  return { PATH, HOME, NO_COLOR: '1', XDG_STATE_HOME: state, ...environment }
}

/** Starts a command. */
export const start = (
  args: readonly string[],
  { state, environment = {} }: RunOptions,
): Running => {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: {
      ...environmentOf({ state, environment }),
      NODE_COMPILE_CACHE: join(ROOT, '.cache/compile'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const run = async (): Promise<Result & { readonly signal: NodeJS.Signals | null }> => {
    const [stdout] = await Promise.all([text(child.stdout), once(child, 'close')])
    return { status: child.exitCode, signal: child.signalCode, stdout, stderr: said }
  }
  const ended = run()
  return {
    ended,
    signal: (signal) => void child.kill(signal),
    async says(pattern) {
      for (;;) {
        const match = said.match(pattern)
        if (match !== null) return match
        const more = await Promise.race([once(child.stderr, 'data'), ended])
        if (!Array.isArray(more) && said.match(pattern) === null) {
          throw new Error(`it ended without a word of ${String(pattern)}:\n${said}`)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs a command to its end, in this process. */
export const run = async (args: readonly string[], options: RunOptions): Promise<Result> =>
  await countersign(args, '', environmentOf(options))

/** Runs a command to its end, in a process of its own. */
export const runProcess = async (args: readonly string[], options: RunOptions): Promise<Result> => {
  await using running = start(args, options)
  const { status, stdout, stderr } = await running.ended
  return { status, stdout, stderr }
}

// Another project's server as a child process: started, waited for, killed, started again. It ends when the
// tests do, however they do.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { findProgram } from '../../src/runtime/child.ts'
import { waitUntilStopped } from './stopped.ts'

/** What a {@link Daemon} needs. */
export interface DaemonOptions {
  readonly command: string
  readonly args: readonly string[]
  /** In addition to that of the tests. */
  readonly environment?: Readonly<Record<string, string>>
  /** Asked until it resolves: then the server answers. */
  readonly probe: () => Promise<void>
}

const START_LIMIT = 30_000
const STOP_LIMIT = 5_000
const POLL = 25
const LOG_TAIL = 4_000

/** One server. */
export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions
  #child: ChildProcess | undefined
  #log = ''

  constructor(options: DaemonOptions) {
    this.#options = options
  }

  /** The process id; 0 before it was started. */
  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** What it has said, the latest part. */
  get log(): string {
    return this.#log.slice(-LOG_TAIL)
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const { command, args, environment, probe } = this.#options
    const [program = command, ...rest] = [...endWithParent(), command, ...args]
    // A pipe for standard input: some servers end when it does.
    const child = spawn(program, rest, {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#log += chunk
      })
    }
    const until = performance.now() + START_LIMIT
    for (;;) {
      try {
        await probe()
        return
      } catch (cause) {
        if (hasEnded(child) || performance.now() > until) {
          throw new Error(`${command} does not answer:\n${this.log}`, { cause })
        }
        await new Promise((resolve) => setTimeout(resolve, POLL))
      }
    }
  }

  /** Suspends it, or resumes it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
    if (signal === 'SIGSTOP' && this.#child?.pid !== undefined) waitUntilStopped(this.#child.pid)
  }

  /** Ends it at once, without a word to its clients. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    const gone = once(child, 'close')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
    await gone
    clearTimeout(timer)
  }
}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null

/** A prefix that makes the kernel end the server when the tests are killed outright. */
const endWithParent = (): readonly string[] => {
  const setpriv = findProgram('setpriv')
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--']
}

/** Runs a program to its end, with something on its standard input; throws with what it said. */
export const runProgram = async (
  command: string,
  args: readonly string[],
  input = '',
): Promise<string> => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => undefined).end(input)
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  if (child.exitCode === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${child.exitCode}:\n${stderr}${stdout}`)
}

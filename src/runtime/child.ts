// Child processes that end with this process, in every case.

import { spawn, type ChildProcess, type Serializable } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { CountersignError } from './errors.ts'

/** What to start. */
export interface ChildOptions {
  /** For messages. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Whether the child is Node and has an IPC channel to us. */
  readonly ipc: boolean
  /** How long it may take to end after SIGTERM before it gets SIGKILL, in milliseconds. */
  readonly grace: number
  /** Called for each line that it writes to standard error. Default: it has our standard error. */
  readonly onLine?: (line: string) => void
  /** Receives its standard output. Default: it has our standard output. */
  readonly onOutput?: (output: Readable) => void
  /** Called for each message on the IPC channel. */
  readonly onMessage?: (message: unknown) => void
}

/** A running child; disposing of it ends it. */
export class Child implements AsyncDisposable {
  readonly name: string
  /** Resolves, never rejects, with a description of how it ended. */
  readonly ended: Promise<string>
  readonly #process: ChildProcess
  readonly #grace: number

  constructor(options: ChildOptions) {
    const { name, command, args, ipc, grace, onLine, onOutput, onMessage } = options
    this.name = name
    this.#grace = grace
    const [program, ...rest] = ipc ? [command, ...args] : [...dieWithParent(), command, ...args]
    this.#process = spawn(program ?? command, rest, {
      stdio: [
        'ignore',
        onOutput === undefined ? 'inherit' : 'pipe',
        onLine === undefined ? 'inherit' : 'pipe',
        ...(ipc ? (['ipc'] as const) : []),
      ],
      // A group of its own: Ctrl-C reaches us alone, and we end the children in order.
      detached: true,
    })
    const { stdout, stderr } = this.#process
    if (stdout !== null) onOutput?.(stdout)
    if (onMessage !== undefined) this.#process.on('message', onMessage)
    if (onLine !== undefined && stderr !== null) {
      createInterface({ input: stderr }).on('line', onLine)
    }
    this.ended = endOf(this.#process, name)
  }

  /** Sends a message; does nothing when the child has ended. */
  send(message: Serializable): void {
    if (!this.#process.connected) return
    this.#process.send(message, () => undefined) // that it ended meanwhile is known by `ended`
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Sends a signal; does nothing when the child has ended. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** The first message on the IPC channel; rejects with `child-exited` when it ends before. */
  async firstMessage(): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.#process.once('message', resolve)
    return await this.orEnded(promise)
  }

  /** The promise, or a rejection with `child-exited` when the child ends first. */
  async orEnded<T>(promise: Promise<T>): Promise<T> {
    const end = this.ended.then((how) => {
      throw new CountersignError('child-exited', how)
    })
    return await Promise.race([promise, end])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), this.#grace)
    await this.ended
    clearTimeout(timer)
  }
}

const endOf = async (child: ChildProcess, name: string): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>()
  child.once('error', (cause) => resolve(`${name} could not be started: ${cause.message}`))
  // "close" comes after its last line.
  child.once(child.stderr === null ? 'exit' : 'close', (code, signal) =>
    resolve(`${name} ended ${signal === null ? `with status ${code}` : `by ${signal}`}`),
  )
  return await promise
}

/**
 * A prefix that makes the kernel end the child when we are killed outright (prctl(2)
 * PR_SET_PDEATHSIG), where util-linux offers it; Node children notice by their IPC channel.
 */
const dieWithParent = (): readonly string[] => {
  const setpriv = findProgram('setpriv')
  return process.platform === 'linux' && setpriv !== undefined
    ? [setpriv, '--pdeathsig', 'TERM', '--']
    : []
}

/** The path of a program on PATH. */
export const findProgram = (name: string): string | undefined =>
  findProgramIn(process.env['PATH'] ?? '', name)

/** The path of a program in the folders of a PATH. */
export const findProgramIn = (path: string, name: string): string | undefined =>
  path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))

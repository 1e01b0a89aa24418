// `countersign authz` or `countersign signer` as a process of its own.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { z } from 'zod'
import { waitUntilStopped } from '../servers/stopped.ts'

const readySchema = z.object({ ready: z.string() })

/** What may be wanted of one. */
export interface ProcessOptions {
  /** Whether its time can be put forward. */
  readonly movable?: boolean
  /** A command that runs the one behind it in its place. Default: none. */
  readonly prefix?: readonly string[]
}

const CLOCK = resolve(import.meta.dirname, 'moved-clock.ts')

/** A child that can be ended, killed, and started again. */
export class CountersignProcess implements AsyncDisposable {
  readonly #command: string
  readonly #config: string
  readonly #preloaded: readonly string[]
  readonly #prefix: readonly string[]
  #child: ChildProcess | undefined
  #log = ''

  constructor(
    command: 'authz' | 'signer',
    config: string,
    { movable, prefix = [] }: ProcessOptions = {},
  ) {
    this.#prefix = prefix
    this.#command = command
    this.#config = config
    this.#preloaded = movable === true ? ['--import', CLOCK] : []
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** What it has logged. */
  get log(): string {
    return this.#log
  }

  /** Starts it; resolves with its address when it listens. */
  async start(): Promise<string> {
    const program = resolve(import.meta.dirname, '../../src/countersign.ts')
    const [command, ...args] = [
      ...this.#prefix,
      process.execPath,
      ...this.#preloaded,
      program,
      this.#command,
      '--config',
      this.#config,
    ]
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => (this.#log += chunk.toString()))
    const { promise, resolve: settle, reject } = Promise.withResolvers<string>()
    child.once('message', (message) => settle(readySchema.parse(message).ready))
    child.once('exit', (code) =>
      reject(new Error(`${this.#command} ended with ${code}:\n${this.#log}`)),
    )
    return await promise
  }

  /** Puts its time forward, where that is possible. */
  async pass(minutes: number): Promise<void> {
    const child = this.#child
    if (child === undefined || this.#preloaded.length === 0) throw new Error('its clock is its own')
    const passed = once(child, 'message')
    child.send({ minutes })
    await passed
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
    if (signal === 'SIGSTOP') waitUntilStopped(this.pid)
  }

  /** Sends a signal that ends it, and waits until it has; resolves with the exit status. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const { promise, resolve: settle } = Promise.withResolvers<number | null>()
    child.once('exit', settle)
    child.kill(signal)
    return await promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
  }
}

// A process of the bench: forked, asked one thing at a time over IPC, ended with us.

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'

const replySchema = z.union([
  z.strictObject({ answer: z.unknown() }),
  z.strictObject({ failure: z.string() }),
])

/** The path of a script of `processes/`. */
export const processScript = (name: string): string =>
  join(import.meta.dirname, 'processes', `${name}.ts`)

/** What else than a script of `processes/` is started, and how. */
interface OtherScript {
  readonly script: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly stderr: 'pipe'
}

/** A running process. */
export class Worker implements AsyncDisposable {
  readonly pid: number
  protected readonly child: ChildProcess
  readonly #name: string
  #free: Promise<void> = Promise.resolve()

  /**
   * Starts a script of `processes/`, or another one.
   *
   * @param name for messages; the script's file name without `.ts`
   */
  constructor(
    name: string,
    nodeOptions: readonly string[] = [],
    more: readonly string[] | OtherScript = [],
  ) {
    this.#name = name
    const other = 'script' in more ? more : undefined
    const args = 'script' in more ? more.args : more
    this.child = fork(other?.script ?? processScript(name), args, {
      execArgv: [...nodeOptions],
      env: other?.env ?? process.env,
      // Bytes and numbers as they are, not by way of JSON.
      serialization: 'advanced',
      // Both are for tables and JSON; an operational log goes to standard error.
      stdio: ['ignore', 'ignore', other?.stderr ?? 'inherit', 'ipc'],
    })
    this.pid = this.child.pid ?? 0
  }

  /** Asks, when earlier questions are answered; rejects with what went wrong over there. */
  async ask<T>(question: object, schema: z.ZodType<T>): Promise<T> {
    const before = this.#free
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#free = promise
    await before
    try {
      const reply = replySchema.parse(await this.#exchange(question))
      if ('failure' in reply) throw new Error(`${nameOf(question, this.#name)}: ${reply.failure}`)
      return schema.parse(reply.answer)
    } finally {
      resolve()
    }
  }

  async #exchange(question: object): Promise<unknown> {
    const reply = this.message()
    this.child.send(question)
    return await reply
  }

  /** The next message of the process; rejects when it ends before. */
  protected async message(): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const onEnd = (code: number | null): void => {
      reject(new Error(`${this.#name} ended with status ${code}`))
    }
    this.child.once('message', resolve)
    this.child.once('exit', onEnd)
    this.child.once('error', reject)
    try {
      return await promise
    } finally {
      this.child.off('message', resolve)
      this.child.off('exit', onEnd)
      this.child.off('error', reject)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.child
    if (exitCode !== null || signalCode !== null) return
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.child.once('exit', resolve)
    this.child.kill('SIGTERM')
    await promise
  }
}

/** Names what failed: the target of a load, else the process. */
const nameOf = (question: object, process: string): string =>
  'target' in question ? String(question.target) : process

/**
 * Node's options for load generators. With room for the young, their garbage collector pauses
 * seldom: each pause would count as latency of all requests under way.
 */
export const LOAD_OPTIONS: readonly string[] = [
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
]

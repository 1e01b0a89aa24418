// A process of the bench: forked, asked one thing at a time over IPC, ended with us.

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'

const replySchema = z.union([
  z.strictObject({ answer: z.unknown() }),
  z.strictObject({ failure: z.string() }),
])

/** A running process. */
export class Worker implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #name: string
  #free: Promise<void> = Promise.resolve()

  /**
   * Starts a script of `processes/`.
   *
   * @param name for messages, and without `.ts` the script's file name
   */
  constructor(name: string, nodeOptions: readonly string[] = [], args: readonly string[] = []) {
    this.#name = name
    this.#child = fork(join(import.meta.dirname, 'processes', `${name}.ts`), args, {
      execArgv: [...nodeOptions],
      // Bytes and numbers as they are, not by way of JSON.
      serialization: 'advanced',
      // Both are for tables and JSON; an operational log goes to standard error.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.pid = this.#child.pid ?? 0
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
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const onEnd = (code: number | null): void => {
      reject(new Error(`${this.#name} ended with status ${code}`))
    }
    this.#child.once('message', resolve)
    this.#child.once('exit', onEnd)
    this.#child.once('error', reject)
    try {
      this.#child.send(question)
      return await promise
    } finally {
      this.#child.off('message', resolve)
      this.#child.off('exit', onEnd)
      this.#child.off('error', reject)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.#child.once('exit', resolve)
    this.#child.kill('SIGTERM')
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

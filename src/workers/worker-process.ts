// One worker, as its supervisor sees it: a child process that answers over its IPC channel.

import type { Readable } from 'node:stream'
import { Child } from '../runtime/child.ts'
import { CountersignError } from '../runtime/errors.ts'
import {
  workerMessageSchema,
  type AnswerSchema,
  type Question,
  type WorkerMessage,
} from './messages-schema.ts'

/** How a worker is started. */
export interface WorkerProcessOptions {
  readonly index: number
  readonly command: string
  readonly args: readonly string[]
  /** Receives its standard output. Default: it has that of the supervisor. */
  readonly onOutput?: ((output: Readable) => void) | undefined
  /** Is called when its files have changed, or it has received SIGHUP. */
  readonly onReload: (isHangUp: boolean) => void
}

/** What a worker says when it serves. */
export interface Ready {
  /** Where it listens. */
  readonly address: string
  /** That of the files by which it decides. */
  readonly fingerprint: string
}

// A worker completes requests in progress within 10 s.
const GRACE_MS = 11_500

/** A worker that was started. Disposing of it ends it. */
export class WorkerProcess implements AsyncDisposable {
  readonly index: number
  readonly #child: Child
  readonly #ready = Promise.withResolvers<Ready>()
  readonly #answers = new Map<number, (answer: unknown) => void>()
  readonly #onReload: (isHangUp: boolean) => void
  #lastId = 0

  constructor({ index, command, args, onOutput, onReload }: WorkerProcessOptions) {
    this.index = index
    this.#onReload = onReload
    this.#child = new Child({
      name: `worker ${index}`,
      command,
      args,
      ipc: true,
      grace: GRACE_MS,
      ...(onOutput && { onOutput }),
      onMessage: (message) => this.#take(workerMessageSchema.safeParse(message).data),
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Resolves, never rejects, with a description of how it ended. */
  get ended(): Promise<string> {
    return this.#child.ended
  }

  /**
   * Resolves when it serves.
   *
   * @throws CountersignError `child-exited` when it ends before
   */
  async ready(): Promise<Ready> {
    return await this.#child.orEnded(this.#ready.promise)
  }

  /**
   * Sends a question, and waits for the answer.
   *
   * @param schema that of the answer (`ANSWERS`)
   * @param timeout in milliseconds
   * @throws CountersignError `child-exited` when it ends; `unavailable` when no answer comes in time
   */
  async ask<T>(question: Question, schema: AnswerSchema<T>, timeout: number): Promise<T> {
    this.#lastId += 1
    const id = this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#answers.set(id, resolve)
    const timer = setTimeout(() => {
      const message = `worker ${this.index} does not answer`
      reject(new CountersignError('unavailable', message))
    }, timeout)
    try {
      this.#child.send({ ...question, id })
      const answer = await this.#child.orEnded(promise)
      return schema.parse(answer)
    } finally {
      clearTimeout(timer)
      this.#answers.delete(id)
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.signal(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
  }

  #take(message: WorkerMessage | undefined): void {
    if (message === undefined) return
    if ('ready' in message) {
      const { ready: address, fingerprint } = message
      this.#ready.resolve({ address, fingerprint })
    } else if ('reload' in message) this.#onReload(message.reload)
    else this.#answers.get(message.id)?.(message.answer)
  }
}

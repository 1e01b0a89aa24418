// Reloads all workers together: each builds the next configuration first, and only when all can use it, built from the same
// files, does it come into force, in each within the time of one message. Otherwise none of them changes.

import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, hasCode } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { ANSWERS } from './messages-schema.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What the reload of all workers needs. */
export interface JointReloadParts {
  /** Those that serve now. */
  readonly running: () => readonly WorkerProcess[]
  readonly logger: Logger
}

// Ten thousands of rules take some seconds. A worker that needs longer is ended, and another one reads the files.
const PREPARE_MS = 60_000
const ANSWER_MS = 5_000
// Files that change while they are read.
const MOST_ATTEMPTS = 4
const LATER_MS = 1_000

interface Built {
  readonly worker: WorkerProcess
  readonly failure?: string | undefined
  readonly fingerprint: string
}

/** Reloads that follow each other; those requested meanwhile are one. */
export class JointReload {
  readonly #parts: JointReloadParts
  #fingerprint: string | undefined
  #running: Promise<void> | undefined
  #again = false
  /** Whether the next one is to happen although no worker sees a change. */
  #forced = false
  #isEnding = false

  constructor(parts: JointReloadParts) {
    this.#parts = parts
  }

  /** Takes note of the files of a worker that serves from now on; all reload where it has read other files. */
  began(fingerprint: string): void {
    this.#fingerprint ??= fingerprint
    if (fingerprint !== this.#fingerprint) void this.request(true)
  }

  /** From now on nothing is reloaded. */
  end(): void {
    this.#isEnding = true
  }

  /**
   * Reloads; never rejects.
   *
   * @param isForced whether no worker has to have seen a change
   */
  async request(isForced: boolean): Promise<void> {
    this.#forced ||= isForced
    if (this.#running !== undefined) {
      this.#again = true
      return await this.#running
    }
    this.#running = this.#untilSettled()
    await this.#running
  }

  /** What SIGHUP does: every worker opens its audit file anew and forgets all proofs, before it reads the files. */
  async reopen(): Promise<void> {
    await this.#ofAll(
      async (worker) => await worker.ask({ ask: 'reopen' }, ANSWERS.reopen, ANSWER_MS),
    )
    await this.request(true)
  }

  /** What SIGUSR2 does: every worker opens its audit file anew. */
  async reopenAudit(): Promise<void> {
    await this.#ofAll((worker) => worker.ask({ ask: 'reopen-audit' }, ANSWERS.reopen, ANSWER_MS))
  }

  async #untilSettled(): Promise<void> {
    try {
      do {
        this.#again = false
        const isForced = this.#forced
        this.#forced = false
        if (isForced || (await this.#isChanged())) await this.#reload()
      } while (this.#again && !this.#isEnding)
    } finally {
      this.#running = undefined
    }
  }

  async #isChanged(): Promise<boolean> {
    const answers = await this.#ofAll((worker) =>
      worker.ask({ ask: 'changed' }, ANSWERS.changed, ANSWER_MS),
    )
    return answers.includes(true)
  }

  async #reload(): Promise<void> {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const built = await this.#ofAll(async (worker): Promise<Built> => {
        return { worker, ...(await worker.ask({ ask: 'prepare' }, ANSWERS.prepare, PREPARE_MS)) }
      })
      const failed = built.find(({ failure }) => failure !== undefined)
      if (failed !== undefined) return await this.#refuse(built, failed)
      const [first] = built
      if (first === undefined) return
      if (built.every(({ fingerprint }) => fingerprint === first.fingerprint)) {
        return await this.#conclude(built, first.fingerprint)
      }
    }
    this.#parts.logger.warn(
      'files of the configuration change all the time: it is read again later',
    )
    await sleep(LATER_MS)
    this.#again = true
    this.#forced = true
  }

  async #conclude(built: readonly Built[], fingerprint: string): Promise<void> {
    this.#fingerprint = fingerprint
    await Promise.all(built.map(({ worker }) => this.#tell(worker, { ask: 'conclude' })))
    this.#parts.logger.info({ workers: built.length }, 'configuration loaded by all workers')
  }

  async #refuse(built: readonly Built[], { worker, failure }: Built): Promise<void> {
    const reason = `worker ${worker.index} cannot use it, so that no worker does: ${failure}`
    await Promise.all(built.map((one) => this.#tell(one.worker, { ask: 'give-up', reason })))
    this.#parts.logger.error(
      { workers: built.length, worker: worker.index, problems: failure?.split('\n') },
      'configuration rejected by all workers, the previous one stays active',
    )
  }

  async #tell(
    worker: WorkerProcess,
    question: { readonly ask: 'conclude' } | { readonly ask: 'give-up'; readonly reason: string },
  ): Promise<void> {
    try {
      await worker.ask(question, ANSWERS.conclude, ANSWER_MS)
    } catch (cause) {
      this.#leave(worker, cause)
    }
  }

  /** The answers of those workers that answer. */
  async #ofAll<T>(step: (worker: WorkerProcess) => Promise<T>): Promise<readonly T[]> {
    const answers = this.#parts.running().map(async (worker): Promise<readonly T[]> => {
      try {
        return [await step(worker)]
      } catch (cause) {
        this.#leave(worker, cause)
        return []
      }
    })
    return (await Promise.all(answers)).flat()
  }

  /** One that has ended is replaced already, by one that reads the files. One that hangs must not decide by old ones. */
  #leave(worker: WorkerProcess, cause: unknown): void {
    if (hasCode(cause, 'child-exited')) return
    const reason = describeError(cause)
    this.#parts.logger.error(
      { worker: worker.index, reason },
      'worker is ended, another one starts',
    )
    worker.signal('SIGKILL')
  }
}

// Keeps the workers of authz running: one that ends is replaced at once, and, where it ends again and again, after a pause.

import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../runtime/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Ready, WorkerProcess } from './worker-process.ts'

/** What the pool needs. */
export interface WorkerPoolParts {
  readonly count: number
  /** Starts the process of a worker. */
  readonly spawn: (index: number) => WorkerProcess
  /** Is called when one serves. */
  readonly onReady: (worker: WorkerProcess, ready: Ready) => void
  readonly clock: Clock
  readonly logger: Logger
}

// A worker that has served for so long has not failed at its start.
const STEADY_MS = 10_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

/** The workers. Disposing of it ends all of them, at the same time. */
export class WorkerPool implements AsyncDisposable {
  readonly #parts: WorkerPoolParts
  readonly #started = new Set<WorkerProcess>()
  readonly #running = new Map<number, WorkerProcess>()
  readonly #faults = new Map<number, string>()
  readonly #ending = new AbortController()
  #replacements = 0

  constructor(parts: WorkerPoolParts) {
    this.#parts = parts
  }

  get count(): number {
    return this.#parts.count
  }

  /** Those that serve now, by their index. */
  readonly running = (): readonly WorkerProcess[] =>
    [...this.#running].toSorted(([one], [other]) => one - other).map(([, worker]) => worker)

  /** Why a worker that does not serve ended; `undefined` while it starts. */
  faultOf(index: number): string | undefined {
    return this.#faults.get(index)
  }

  /** How many workers were started in place of one that ended. */
  get replacements(): number {
    return this.#replacements
  }

  /**
   * Starts all of them: worker 0 first, so that a configuration that none can use is reported once.
   *
   * @throws CountersignError `child-exited` when one does not start; all are ended then
   */
  async start(): Promise<readonly Ready[]> {
    const first = await this.#first(0)
    const others = Array.from({ length: this.count - 1 }, (_, index) => this.#first(index + 1))
    return [first, ...(await Promise.all(others))]
  }

  /** Ends them at once, with what they are doing. */
  kill(): void {
    this.#ending.abort()
    for (const worker of this.#started) worker.signal('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    await Promise.all([...this.#started].map((worker) => worker[Symbol.asyncDispose]()))
  }

  async #first(index: number): Promise<Ready> {
    const worker = this.#spawn(index)
    const ready = await worker.ready()
    this.#serves(worker, ready)
    void this.#keep(worker)
    return ready
  }

  #spawn(index: number): WorkerProcess {
    const worker = this.#parts.spawn(index)
    this.#started.add(worker)
    void worker.ended.then(() => this.#started.delete(worker))
    return worker
  }

  #serves(worker: WorkerProcess, ready: Ready): void {
    this.#running.set(worker.index, worker)
    this.#faults.delete(worker.index)
    this.#parts.onReady(worker, ready)
  }

  /** Replaces a worker whenever it ends. */
  async #keep(first: WorkerProcess): Promise<void> {
    const { index } = first
    const { clock, logger } = this.#parts
    let served = clock.monotonic()
    let pause = 0
    for (let worker = first; ;) {
      const reason = await worker.ended
      if (this.#running.get(index) === worker) this.#running.delete(index)
      if (this.#ending.signal.aborted) return
      if (clock.monotonic() - served >= STEADY_MS) pause = 0
      this.#faults.set(index, reason)
      logger.error({ worker: index, reason, pause }, 'worker ended, another one starts')
      if (!(await this.#waited(pause))) return
      pause = Math.min(LONGEST_PAUSE_MS, pause === 0 ? FIRST_PAUSE_MS : 2 * pause)
      this.#replacements += 1
      worker = this.#spawn(index)
      try {
        this.#serves(worker, await worker.ready())
        logger.info({ worker: index, pid: worker.pid }, 'worker serves again')
      } catch (cause) {
        this.#faults.set(index, describeError(cause))
      }
      served = clock.monotonic()
    }
  }

  /** Whether the pool still runs after a pause. */
  async #waited(pause: number): Promise<boolean> {
    if (pause > 0) {
      await sleep(pause, undefined, { signal: this.#ending.signal }).catch(() => undefined)
    }
    return !this.#ending.signal.aborted
  }
}

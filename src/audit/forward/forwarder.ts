// Sends the audit log to one sink, batch by batch, and keeps the position. A batch is sent until it is acknowledged: records are never
// lost here, and may arrive more than once.

import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ChainFields } from '../chain.ts'
import { NotTaken, type Delivery } from './delivery.ts'
import { LogReader, type LogRecord, type Missing } from './log-reader.ts'
import { readPosition, writePosition, type Position } from './position.ts'
import type { SinkConfig } from './schema.ts'

/** Records that a sink does not get. */
export interface Skipped {
  readonly sink: string
  /** `deleted`: the log no longer has them. `refused`: the sink refuses this record, and takes another. */
  readonly cause: 'deleted' | 'refused'
  readonly chain: string
  readonly first: number
  readonly last: number
  /** What the sink answered. */
  readonly detail?: string
}

/** Counters since the start. */
export interface ForwardCounts {
  readonly sent: number
  readonly deleted: number
  readonly refused: number
  readonly failures: number
  /** Whether the last batch was not acknowledged. */
  readonly failing: boolean
}

/** Milliseconds between attempts: twice as long after each failure. */
interface Backoff {
  readonly first: number
  readonly longest: number
}

/** What it needs. */
export interface ForwarderOptions {
  /** Of the sink. */
  readonly name: string
  /** The audit file. */
  readonly log: string
  readonly positionFile: string
  readonly config: Pick<SinkConfig, 'batch' | 'timeout'>
  readonly delivery: Delivery
  /** Called for records that the sink does not get, before the position moves over them. */
  readonly skipped: (skipped: Skipped) => void
  readonly clock: Clock
  readonly logger: Logger
  readonly backoff?: Backoff
}

const BACKOFF: Backoff = { first: 500, longest: 60_000 }
const POLL_MS = 200
// Each write of the position waits for the disk.
const SAVE_EVERY_MS = 1_000

/** Runs from {@link run} on until it is disposed. */
export class Forwarder implements AsyncDisposable {
  readonly #options: ForwarderOptions
  readonly #end = new AbortController()
  readonly #logger: Logger
  #running: Promise<void> = Promise.resolve()
  #position: Position | undefined
  #saved: Position | undefined
  #savedAt = Number.NEGATIVE_INFINITY
  /** A record that the sink has. It is sent again where the sink refuses another. */
  #taken: LogRecord | undefined
  #counts = { sent: 0, deleted: 0, refused: 0, failures: 0, failing: false }

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#logger = options.logger.child({ sink: options.name })
  }

  /** The counters as they are now. */
  counts(): ForwardCounts {
    return { ...this.#counts }
  }

  /** Begins to send. What it cannot do it logs and tries again. */
  run(): void {
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await this.#running
    await this.#save(true)
    await this.#options.delivery[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    while (!this.#isEnded) {
      try {
        await this.#follow()
      } catch (cause) {
        if (this.#isEnded) return
        this.#logger.error({ err: cause }, 'audit log not read, it is tried again')
        await this.#pause(BACKOFF.longest / 6)
      }
    }
  }

  /** Reads and sends until it is disposed, or the log cannot be read. */
  async #follow(): Promise<void> {
    const { log, positionFile, config } = this.#options
    if (this.#position === undefined) {
      this.#position = await readPosition(positionFile)
      this.#saved = this.#position
    }
    await using reader = new LogReader(log, this.#position, {
      missing: (missing) => this.#missing(missing),
      mismatch: (position, from) => this.#mismatch(position, from),
    })
    while (!this.#isEnded) {
      const batch = await reader.next(config.batch)
      this.#taken ??= reader.foundPosition
      if (batch.length === 0) {
        await this.#save(false)
        await this.#pause(POLL_MS)
        continue
      }
      await this.#deliver(batch)
      await this.#save(false)
      if (!reader.hasMore) await this.#pause(config.batch.every)
    }
  }

  /** Returns when the sink has the batch, or the process ends. */
  async #deliver(batch: readonly LogRecord[]): Promise<void> {
    for (let attempt = 0; !this.#isEnded; attempt += 1) {
      const failure = await this.#attempt(batch)
      if (failure === undefined) {
        this.#acknowledged(batch)
        return
      }
      if (failure instanceof NotTaken && failure.isAboutContent) {
        if (batch.length > 1) {
          const half = Math.ceil(batch.length / 2)
          await this.#deliver(batch.slice(0, half))
          await this.#deliver(batch.slice(half))
          return
        }
        if (await this.#isRecordAtFault(batch)) return
      }
      await this.#pause(this.#waitAfter(attempt, failure))
    }
  }

  async #attempt(batch: readonly LogRecord[]): Promise<Error | undefined> {
    const { delivery, config } = this.#options
    try {
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(config.timeout)])
      await delivery.send(batch, signal)
    } catch (cause) {
      if (this.#isEnded) return new Error('ended')
      const failure = cause instanceof Error ? cause : new Error(String(cause))
      this.#counts.failures += 1
      this.#counts.failing = true
      this.#logger.warn({ err: failure, records: batch.length }, 'audit sink did not take a batch')
      return failure
    }
    if (this.#counts.failing) this.#logger.info('audit sink takes records again')
    this.#counts.failing = false
    return undefined
  }

  #acknowledged(batch: readonly LogRecord[]): void {
    this.#counts.sent += batch.length
    const last = batch.at(-1)
    this.#position = last
    this.#taken = last
  }

  /**
   * A sink that refuses one record, takes a record again that it has, and refuses the one again will never take it: it is skipped, or a
   * client could stop the log by a request that the sink refuses. Where it does not take the other, the sink is at fault, and nothing
   * is skipped.
   */
  async #isRecordAtFault(batch: readonly LogRecord[]): Promise<boolean> {
    const known = this.#taken
    const [record] = batch
    if (record === undefined || known === undefined) return false
    if ((await this.#attempt([known])) !== undefined) return false
    const failure = await this.#attempt(batch)
    if (failure === undefined) {
      this.#acknowledged(batch)
      return true
    }
    if (!(failure instanceof NotTaken && failure.isAboutContent)) return false
    const { chain, sequence } = record
    this.#counts.refused += 1
    const detail = failure.message
    this.#skip({ cause: 'refused', chain, first: sequence, last: sequence, detail })
    this.#position = record
    return true
  }

  #missing({ chain, first, last }: Missing): void {
    this.#counts.deleted += last - first + 1
    this.#skip({ cause: 'deleted', chain, first, last })
  }

  #skip(skipped: Omit<Skipped, 'sink'>): void {
    const { name } = this.#options
    this.#logger.error(skipped, 'audit sink does not get these records')
    this.#options.skipped({ sink: name, ...skipped })
  }

  #mismatch(position: Position, from: ChainFields): void {
    const { chain, sequence: seq } = position
    this.#logger.error(
      { position: { chain, seq }, from: { chain: from.chain, seq: from.sequence } },
      'audit log does not continue where the sink is, a file is sent again',
    )
  }

  #waitAfter(attempt: number, failure: Error): number {
    const { first, longest } = this.#options.backoff ?? BACKOFF
    const wait = Math.min(longest, first * 2 ** Math.min(attempt, 30))
    const spread = wait / 2 + Math.random() * (wait / 2)
    return failure instanceof NotTaken ? (failure.retryAfter ?? spread) : spread
  }

  /** Keeps the position. A disk that is full costs repetitions after the next start, no records. */
  async #save(isLast: boolean): Promise<void> {
    const position = this.#position
    const { clock, positionFile } = this.#options
    if (position === undefined || position === this.#saved) return
    const now = clock.monotonic()
    if (!isLast && now - this.#savedAt < SAVE_EVERY_MS) return
    this.#savedAt = now
    try {
      await writePosition(positionFile, position)
      this.#saved = position
    } catch (cause) {
      this.#logger.error({ err: cause, file: positionFile }, 'position of audit sink not saved')
    }
  }

  get #isEnded(): boolean {
    return this.#end.signal.aborted
  }

  async #pause(delay: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { signal } = this.#end
    const timer = setTimeout(resolve, delay)
    const ended = (): void => resolve()
    signal.addEventListener('abort', ended)
    if (signal.aborted) resolve()
    await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', ended)
  }
}

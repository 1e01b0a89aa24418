// The `log-opened` that is to be written before the next event: why, and what it has to contain.

import { hostname } from 'node:os'
import type { ChainHead } from './chain.ts'
import type { CutLine, LogOpenedEvent } from './events/log-schema.ts'

/** Which process writes. */
export type LogWriter = LogOpenedEvent['writer']

// Of incomplete lines that a disk left which was full again and again.
const MOST_CUTS = 100

/** What the next `log-opened` has to contain. */
export class Opening {
  readonly #writer: LogWriter
  #cause: LogOpenedEvent['cause'] | undefined = 'start'
  /** Incomplete lines that no record contains yet. */
  #cuts: readonly CutLine[] = []
  /** How many of the lost events are in an earlier one. */
  #lostBefore = 0

  constructor(writer: LogWriter) {
    this.#writer = writer
  }

  /** Whether one is to be written. */
  get isDue(): boolean {
    return this.#cause !== undefined
  }

  /** One is to be written. */
  begin(cause: LogOpenedEvent['cause']): void {
    this.#cause = cause
  }

  /** A write failed: one is to be written before the next event. */
  afterFailure(): void {
    this.#cause ??= 'write-failed'
  }

  /** An incomplete line is in the log. */
  addCut(cut: CutLine): void {
    if (this.#cuts.length < MOST_CUTS) this.#cuts = [...this.#cuts, cut]
  }

  /**
   * The event, where one is due.
   *
   * @param head the record before
   * @param offset the size of the file
   * @param lost how many events were lost since the start
   */
  event(
    head: ChainHead | undefined,
    offset: () => number | undefined,
    lost: number,
  ): LogOpenedEvent | undefined {
    if (this.#cause === undefined) return undefined
    const lostNow = lost - this.#lostBefore
    return {
      event: 'log-opened',
      cause: this.#cause,
      writer: this.#writer,
      host: hostname(),
      pid: process.pid,
      offset: offset(),
      previous: head && { seq: head.sequence, hash: head.hash },
      cut: this.#cuts.length === 0 ? undefined : this.#cuts,
      lost: lostNow === 0 ? undefined : lostNow,
    }
  }

  /** It was written. */
  written(lost: number): void {
    this.#cause = undefined
    this.#cuts = []
    this.#lostBefore = lost
  }
}

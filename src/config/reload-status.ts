// Which configuration is in force and the outcome of its last change, for metrics and health.

import type { Clock } from '../runtime/clock.ts'
import type { Condition } from '../runtime/health.ts'
import type { ReloadReports } from './reload.ts'

/** The outcomes of reloads since the start, which counts as the first success. */
export class ReloadStatus {
  readonly #clock: Clock
  #generation = 1
  #loadedAt: number
  #rejections = 0
  #rejected = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#loadedAt = clock.now()
  }

  /** The configuration in force, counted from 1. */
  get generation(): number {
    return this.#generation
  }

  /** When it came into force, in milliseconds since the epoch. */
  get loadedAt(): number {
    return this.#loadedAt
  }

  /** How many were refused. */
  get rejections(): number {
    return this.#rejections
  }

  /** Whether the last one was. */
  get rejected(): boolean {
    return this.#rejected
  }

  /** Ready even so: the last good one decides as it did before. */
  readonly condition = (): Condition =>
    this.#rejected
      ? {
          state: 'warning',
          reason:
            'the last change was refused (see the log); the configuration before it is in force',
        }
      : { state: 'ok' }

  /** Takes note of what it hands on. */
  noting<T>(reports: ReloadReports<T>): ReloadReports<T> {
    return {
      onLoaded: (next, previous) => {
        this.#generation = next.generation
        this.#loadedAt = this.#clock.now()
        this.#rejected = false
        reports.onLoaded(next, previous)
      },
      onRejected: (cause, kept) => {
        this.#rejections += 1
        this.#rejected = true
        reports.onRejected(cause, kept)
      },
    }
  }
}

// The times at which something is due for calls that wait: one timer for all of them, which runs only
// while there are any.

import type { Clock } from '../clock.ts'

/** Something with a time. */
export interface Timed {
  /** When {@link due} is to be called, in milliseconds of the monotonic clock. It may change. */
  readonly dueAt: number
  /** Called at that time, or a tick later, and again until the thing is removed. Must not throw. */
  due(): void
}

const TICK_MS = 10

/** Calls what is due. */
export class Deadlines {
  readonly #clock: Clock
  readonly #waiting = new Set<Timed>()
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** From now on it is called when it is due. */
  add(timed: Timed): void {
    this.#waiting.add(timed)
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** It is not called any more. */
  delete(timed: Timed): void {
    this.#waiting.delete(timed)
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    for (const timed of this.#waiting) if (timed.dueAt <= now) timed.due()
    if (this.#waiting.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

// "gRPC over HTTP2": at most eight digits and a unit.
const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000001,
}

/** `grpc-timeout` in milliseconds; undefined when it is malformed. */
export const timeoutOf = (value: string): number | undefined => {
  const [, digits, unit = ''] = TIMEOUT.exec(value) ?? []
  const ms = UNIT_MS[unit]
  return ms === undefined ? undefined : Number(digits) * ms
}

// How long checks wait in each phase. A phase that answers from memory is not measured: most checks are decided in some
// microseconds, and two readings of a clock for each phase would be a noticeable part of them.

import type { Clock } from '../runtime/clock.ts'
import { Histogram } from '../runtime/metrics/metric.ts'
import { activeSpan } from '../runtime/tracing/span.ts'

/** The phases that may have to wait: for a server, for a password hash, for `state`. */
const WAITING_PHASES = ['authenticate', 'authorize', 'transform'] as const

/** One of {@link WAITING_PHASES}. */
export type WaitingPhase = (typeof WAITING_PHASES)[number]

/** Measures the waits of checks since the start. */
export class PhaseDurations {
  readonly #clock: Clock
  readonly histogram = new Histogram<'phase'>(
    'countersign_check_phase_duration_seconds',
    'Duration of a phase of a check in which the check had to wait: for a server, a password hash or `state`. A phase that needs nothing but memory is not counted.',
    { phase: WAITING_PHASES },
  )

  constructor(clock: Clock) {
    this.#clock = clock
    for (const phase of WAITING_PHASES) this.histogram.of({ phase })
  }

  /** Hands on what a phase waits for, and measures the wait, also one that is rejected. */
  async during<T>(phase: WaitingPhase, waiting: Promise<T>): Promise<T> {
    const started = this.#clock.monotonic()
    try {
      return await waiting
    } finally {
      const seconds = (this.#clock.monotonic() - started) / 1_000
      this.histogram.of({ phase }).observe(seconds, activeSpan()?.reference)
    }
  }
}

// The seam for counting checks. An observer is called for each check, and can change none.

import type { SpanReference } from '../runtime/tracing/span.ts'
import type { Decision } from './decision.ts'

/** Called for every check. No method may throw, and each is on the path of every request. */
export interface CheckObserver {
  /** A check arrived. */
  began(): void
  /**
   * Called exactly once for each check, with the decision that the client gets.
   *
   * @param duration from its arrival to the answer, in milliseconds
   * @param span of the check, where a collector gets it
   */
  decided(decision: Decision, duration: number, span?: SpanReference): void
  /** It is answered, or given up. */
  ended(): void
}

/** Counts nothing. */
export const SILENT: CheckObserver = { began() {}, decided() {}, ended() {} }

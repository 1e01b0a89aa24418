// The seam for whoever counts checks. It is told of each, and can change none.

import type { Decision } from './decision.ts'

/** Told of every check. No method may throw, and each is on the path of every request. */
export interface CheckObserver {
  /** A check arrived. */
  began(): void
  /**
   * It was decided: exactly once for each, with what the caller is told.
   *
   * @param duration from its arrival to the answer, in milliseconds
   */
  decided(decision: Decision, duration: number): void
  /** It is answered, or given up. */
  ended(): void
}

/** Counts nothing. */
export const SILENT: CheckObserver = { began() {}, decided() {}, ended() {} }

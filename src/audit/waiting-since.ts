// How long records wait: when the log had which number. By the clock that never jumps.

import type { Clock } from '../runtime/clock.ts'

// One a second for more than an hour; then every second one is left out, which makes the answer less exact.
const MOST_NOTES = 4_096
const MILLISECONDS = 1_000

/** Notes of the end of a log. */
export class WaitingSince {
  readonly #clock: Pick<Clock, 'monotonic'>
  #notes: { readonly sequence: number; readonly at: number }[] = []

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** The log has this number now. */
  note(sequence: number): void {
    if (this.#notes.at(-1)?.sequence === sequence) return
    this.#notes.push({ sequence, at: this.#clock.monotonic() })
    if (this.#notes.length > MOST_NOTES)
      this.#notes = this.#notes.filter((_, index) => index % 2 === 1)
  }

  /** Records up to this one wait no longer. */
  forgetUntil(sequence: number): void {
    const first = this.#notes.findIndex((note) => note.sequence > sequence)
    this.#notes.splice(0, first === -1 ? this.#notes.length : first)
  }

  /** How long the record after this one has waited, to a second. */
  secondsAfter(sequence: number): number {
    const first = this.#notes.find((note) => note.sequence > sequence)
    return first === undefined ? 0 : (this.#clock.monotonic() - first.at) / MILLISECONDS
  }
}

// One turn of the event loop: what it writes leaves at its end, on each connection at once.

/** Something that has bytes to hand to a socket. */
export interface Flushable {
  /** Hands them over. Must not throw. */
  flush(): void
}

/** Collects those that have something to flush. */
export class Turn {
  #pending: Flushable[] = []
  #isReading = false

  /** A read of a socket begins; it ends with {@link endRead}. */
  beginRead(): void {
    this.#isReading = true
  }

  /** Flushes what the read caused to be written. */
  endRead(): void {
    this.#isReading = false
    this.flush()
  }

  /** Flushes it at the end of the read, or, outside of one, when the current task is done. */
  add(pending: Flushable): void {
    this.#pending.push(pending)
    if (!this.#isReading && this.#pending.length === 1) process.nextTick(() => this.flush())
  }

  /** Flushes everything. */
  flush(): void {
    const pending = this.#pending
    if (pending.length === 0) return
    this.#pending = []
    for (const each of pending) each.flush()
  }
}

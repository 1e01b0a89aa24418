// Time comes in from outside, so that tests can hold it still.

/** Where the program gets its time. */
export interface Clock {
  /** Milliseconds since the epoch, for timestamps and expiry. */
  now(): number
  /** Milliseconds from an arbitrary start that never goes backwards, for durations. */
  monotonic(): number
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

// What the pool and its processes say to each other.

/** What one file came to. A file has passed when it has no problems. */
export interface Result {
  readonly path: string
  readonly tests: number
  readonly skipped: number
  readonly seconds: number
  /** CPU time, with that of child processes that have ended. */
  readonly cpuSeconds: number
  /** Failed tests, and whatever else makes the file a failure, as text to print. */
  readonly problems: readonly string[]
}

/** The next file for a process. */
export interface Order {
  readonly path: string
  /** Whether other files run in this process, which then has to be left as it was. */
  readonly shared: boolean
}

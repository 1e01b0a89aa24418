// What is known of a server that proves credentials, for metrics.

/** One server. */
export interface ServerState {
  /** As the configuration names it. */
  readonly name: string
  /** Whether it is asked; false while it is left alone because it failed. */
  readonly isUp: () => boolean
}

// The counters of an audit log, for metrics and health.

/** How a sink is doing. */
export interface AuditStatistics {
  /** Events, since the start. */
  readonly written: number
  readonly lost: number
  /** Events that wait for their write now. */
  readonly waiting: number
  /** Whether the last write left any out. */
  readonly failing: boolean
  /** Refusals that were counted in summaries, where there is a limit to those written one by one. */
  readonly summarised?: number
}

// What is known of a server that authz calls, for metrics.

import type { QuestionRefusal } from './shared-server.ts'

/** One server. */
export interface ServerState {
  /** As the configuration names it. */
  readonly name: string
  /** Whether requests are sent to it; false while its circuit breaker is open. */
  readonly isUp: () => boolean
  /** How many requests were not sent, by the reason; absent where that is not counted. */
  readonly refusals?: () => ReadonlyMap<QuestionRefusal, number>
  /** How many of its answers are cached; absent where there is no cache of their own. */
  readonly cached?: () => number
}

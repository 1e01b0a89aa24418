// What is known of a server that is asked, for metrics.

import type { QuestionRefusal } from './shared-server.ts'

/** One server. */
export interface ServerState {
  /** As the configuration names it. */
  readonly name: string
  /** Whether it is asked; false while it is left alone because it failed. */
  readonly isUp: () => boolean
  /** How many questions it was not asked, by why; absent where that is not counted. */
  readonly refusals?: () => ReadonlyMap<QuestionRefusal, number>
}

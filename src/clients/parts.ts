// What the clients of other servers are built from.

import type { ConfigurationFiles } from '../config/files.ts'
import type { ProblemList } from '../config/problem-list.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RequestDurations } from '../runtime/request-durations.ts'
import type { AUTHENTICATOR_SERVERS, ROUTE_SERVERS } from '../runtime/server-kinds.ts'
import type { ServerState } from '../runtime/server-state.ts'

/** What building a client needs. */
export interface ClientParts {
  readonly files: ConfigurationFiles
  readonly problems: ProblemList
  /** Ends what only this configuration uses. */
  readonly connections: AsyncDisposableStack
  /** Registers every server that this configuration sends requests to. */
  readonly dependencies: Dependency[]
  /** Measures the requests to servers; absent in commands. */
  readonly durations?: RequestDurations
  readonly clock: Clock
  readonly logger: Logger
}

/** The part of the configuration that a server is used by: an authenticator, a route, or `state`. */
export type DependencyOwner =
  | {
      readonly authenticator: string
      readonly kind: (typeof AUTHENTICATOR_SERVERS)[number]
    }
  | {
      readonly route: string
      readonly kind: (typeof ROUTE_SERVERS)[number]
    }
  | { readonly kind: 'state' }

/** A server that requests are sent to, and what uses it. */
export type Dependency = ServerState & DependencyOwner

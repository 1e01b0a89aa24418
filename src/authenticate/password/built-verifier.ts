// The dependencies and the result of building a password verifier.

import type { ConfigurationFiles } from '../../config/files.ts'
import type { ProblemList } from '../../config/problem-list.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RequestDurations } from '../../runtime/request-durations.ts'
import type { ServerState } from '../../runtime/server-state.ts'
import type { State } from '../../state/state.ts'
import type { HashPool } from './hash.ts'
import type { PasswordVerifier } from './verifier.ts'

/** What building a verifier needs. */
export interface VerifierParts {
  readonly files: ConfigurationFiles
  readonly problems: ProblemList
  readonly hashes: HashPool
  readonly state: Pick<State, 'keys'>
  /** Measures the requests to servers; absent in commands. */
  readonly durations?: RequestDurations
  readonly clock: Clock
  readonly logger: Logger
}

/** A verifier, and what cached credentials of it depend on. */
export interface BuiltVerifier {
  readonly verifier: PasswordVerifier
  /** Changes with every setting, file and secret that its outcomes depend on. */
  readonly generation: string
  /** The servers that it sends requests to. */
  readonly servers: readonly ServerState[]
  /** Closes its connections. */
  close(): Promise<void>
}

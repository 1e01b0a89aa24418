// What a password verifier is built from, and what comes of that.

import type { ConfigurationFiles } from '../../config/files.ts'
import type { ProblemList } from '../../config/problem-list.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ServerState } from '../../runtime/server-state.ts'
import type { State } from '../../state/state.ts'
import type { HashPool } from './hash.ts'
import type { PasswordVerifier } from './verifier.ts'

/** What building needs. */
export interface VerifierParts {
  readonly files: ConfigurationFiles
  readonly problems: ProblemList
  readonly hashes: HashPool
  readonly state: Pick<State, 'keys'>
  readonly clock: Clock
  readonly logger: Logger
}

/** A verifier, and what remembered proofs of it rest on. */
export interface BuiltVerifier {
  readonly verifier: PasswordVerifier
  /** Changes with every setting, file and secret that decides what it says. */
  readonly generation: string
  /** The servers that it sends requests to. */
  readonly servers: readonly ServerState[]
  /** Ends its connections. */
  close(): Promise<void>
}

// What the authenticators of one configuration are built from.

import type { ConfigurationFiles } from '../../config/files.ts'
import type { ProblemList } from '../../config/problem-list.ts'
import type { SnapshotResources } from '../resources.ts'

/** What building needs. */
export interface AuthenticatorParts extends SnapshotResources {
  readonly files: ConfigurationFiles
  readonly problems: ProblemList
  /** Ends what only this configuration uses. */
  readonly connections: AsyncDisposableStack
  /** Takes down what was lent, so that it is kept after the next reload; see `keepOnly`. */
  readonly lent: Set<object>
}

// What the authenticators of one configuration are built from.

import type { ServerState } from '../../authenticate/server-state.ts'
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
  /** `issuer.url`, where people log in there. */
  readonly loginIssuer: string | undefined
  /** Takes down every server that is asked. */
  readonly dependencies: Dependency[]
}

/** Who asks a server: an authenticator, the rules or the credentials of a route, or `state`. */
export type Asker =
  | {
      readonly authenticator: string
      readonly kind: 'ldap' | 'radius' | 'introspection' | 'token-review'
    }
  | {
      readonly route: string
      readonly kind: 'access-review' | 'token-exchange' | 'client-credentials'
    }
  | { readonly kind: 'state' }

/** A server that is asked, and by whom. */
export type Dependency = ServerState & Asker

// What the authenticators of one configuration are built from.

import type { ClientParts } from '../clients/parts.ts'
import type { Issuer } from '../keys/issuer.ts'
import type { RevocationSources } from '../pki/revocation-sources.ts'
import type { LoginStatusProvider } from '../logins/status.ts'
import type { ReplayMemory } from '../state/replay-memory.ts'
import type { State } from '../state/state.ts'
import type { KeySets } from './bearer/key-sets.ts'
import type { CredentialCache } from './credential-cache.ts'
import type { HashPool } from './password/hash.ts'

/** What outlives a configuration and is used by the authenticators of each. */
export interface AuthenticatorResources {
  readonly credentialCache: CredentialCache
  readonly hashes: HashPool
  readonly keySets: KeySets
  readonly revocations: RevocationSources
  readonly replays: ReplayMemory
  readonly state: State
}

/** What building an authenticator needs. */
export interface AuthenticatorParts extends ClientParts, AuthenticatorResources {
  /** Registers the shared resources in use, which the next reload retains; see `retain`. */
  readonly inUse: Set<object>
  /** `issuer.url`, where a login is configured. */
  readonly loginIssuer: string | undefined
  /** The issuer of this configuration, once it is built. */
  readonly issuer?: Issuer | undefined
  /** Whether the logins of sessions and tokens are active. */
  readonly loginStatus: LoginStatusProvider
}

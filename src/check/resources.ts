// What outlives a configuration and is used by each.

import { RevocationSources } from '../pki/revocation-sources.ts'
import { CredentialCache } from '../authenticate/credential-cache.ts'
import { HashPool } from '../authenticate/password/hash.ts'
import { KeySets } from '../authenticate/bearer/key-sets.ts'
import { ApiDescriptions } from '../request/openapi/descriptions.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { AuthenticatorResources } from '../authenticate/parts.ts'
import { memoryState, type State } from '../state/state.ts'
import { LoginStandings } from '../authenticate/session/login-standings.ts'
import { TokenMemory } from '../transform/token/token-memory.ts'

/** What outlives a configuration and is used by each. */
export interface SnapshotResources extends AuthenticatorResources {
  readonly tokens: TokenMemory
  readonly descriptions: ApiDescriptions
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Those of one process. Disposing of them ends what they fetch by themselves.
 *
 * @param options.idle whether nothing is fetched, since no credential will be judged
 * @param options.state what is shared with other processes; default: nothing is
 */
export const processResources = (
  clock: Clock,
  logger: Logger,
  options: { readonly idle?: boolean; readonly state?: State } = {},
): SnapshotResources & Disposable => {
  const keySets = new KeySets(clock, logger, options)
  const revocations = new RevocationSources(clock, logger, options)
  const { state = memoryState(clock) } = options
  return {
    memory: new CredentialCache(clock),
    hashes: new HashPool(),
    keySets,
    revocations,
    replays: state.replays,
    tokens: new TokenMemory(),
    descriptions: new ApiDescriptions(),
    state,
    standings: new LoginStandings(),
    clock,
    logger,
    [Symbol.dispose]() {
      revocations[Symbol.dispose]()
      keySets[Symbol.dispose]()
    },
  }
}

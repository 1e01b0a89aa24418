// What outlives a configuration and is used by each.

import { RevocationSources } from '../pki/revocation-sources.ts'
import { CredentialCache } from '../authenticate/credential-cache.ts'
import { HashPool } from '../authenticate/password/hash.ts'
import { KeySets } from '../authenticate/bearer/key-sets.ts'
import { ApiDescriptions } from '../request/openapi/descriptions.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { RequestDurations } from '../runtime/request-durations.ts'
import type { AuthenticatorResources } from '../authenticate/parts.ts'
import { memoryState, type State } from '../state/state.ts'
import type { LoginStatusProvider } from '../logins/status.ts'
import type { LoginResources } from './logins.ts'
import { PhaseDurations } from './phase-durations.ts'
import { TokenCache } from '../transform/token/token-cache.ts'

/** What outlives a configuration and is used by each. */
export interface SnapshotResources extends AuthenticatorResources {
  readonly tokens: TokenCache
  readonly descriptions: ApiDescriptions
  /** What the logins of each configuration are opened with; absent where no authorization server runs. */
  readonly logins?: LoginResources | undefined
  /** Takes the place of the status of those logins. */
  readonly loginStatus?: LoginStatusProvider | undefined
  /** Measures the requests to all servers. */
  readonly durations: RequestDurations
  /** Measures the waits of checks. */
  readonly phases: PhaseDurations
  readonly clock: Clock
  readonly logger: Logger
}

/** How the resources of a process are used. */
export interface ProcessOptions extends Pick<SnapshotResources, 'logins' | 'loginStatus'> {
  /** Whether nothing is fetched, since no credential will be verified. */
  readonly idle?: boolean
  /** Shared with other processes; by default nothing is. */
  readonly state?: State
  /** How many processes share the machine's cores with this one, itself included. Default: 1. */
  readonly processes?: number
  /** Measures requests to servers; by default a new one. */
  readonly durations?: RequestDurations
}

const WARNING_INTERVAL_MS = 600_000

/** Warns of a credential that was evicted before its time was over; at most once in ten minutes. */
const smallCacheWarning = (clock: Clock, logger: Logger): (() => void) => {
  let next = Number.NEGATIVE_INFINITY
  return () => {
    if (clock.monotonic() < next) return
    next = clock.monotonic() + WARNING_INTERVAL_MS
    logger.warn(
      'verified credentials were evicted from the cache before their time was over: more are in use than it has room for (raise credentialCache.maxBytes)',
    )
  }
}

/**
 * Those of one process. Disposing of them ends what they fetch by themselves.
 */
export const processResources = (
  clock: Clock,
  logger: Logger,
  options: ProcessOptions = {},
): SnapshotResources & Disposable => {
  const { durations = new RequestDurations(clock) } = options
  const fetching = { ...options, durations }
  const keySets = new KeySets(clock, logger, fetching)
  const revocations = new RevocationSources(clock, logger, fetching)
  const { state = memoryState(clock) } = options
  return {
    credentialCache: new CredentialCache(clock, { onEvicted: smallCacheWarning(clock, logger) }),
    hashes: new HashPool(options.processes),
    keySets,
    revocations,
    replays: state.replays,
    tokens: new TokenCache(),
    descriptions: new ApiDescriptions(),
    state,
    logins: options.logins,
    loginStatus: options.loginStatus,
    durations,
    phases: new PhaseDurations(clock),
    clock,
    logger,
    [Symbol.dispose]() {
      revocations[Symbol.dispose]()
      keySets[Symbol.dispose]()
    },
  }
}

// Simulated checks, for policy tests and explanations: everything as on the live path, but the identity, the time
// and the answer of an API server can be set. Nothing is audited or counted.

import type { Authenticator } from '../authenticate/authenticator.ts'
import { Chain } from '../authenticate/chain.ts'
import { Authorizer, type AccessReviewer } from '../authorize/authorizer.ts'
import type { Identity } from '../identity/identity.ts'
import type { Request } from '../request/request.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Transformer } from '../transform/transformer.ts'
import type { CheckState } from '../check/check.ts'
import type { Route } from '../check/route.ts'

/**
 * The id of a decision that is not recorded: the nil UUID (RFC 9562 §5.9), so that equal checks have
 * equal results.
 */
export const UNRECORDED_ID = '00000000-0000-0000-0000-000000000000'

/** What of a check is simulated. */
export interface Simulation {
  /** The identity, in place of what the route's authenticators would prove; `undefined`: they are called. */
  readonly identity: Identity | undefined
  /** Replaces the API server for rules with `subjectAccessReview`. */
  readonly reviewer?: AccessReviewer | undefined
  /** The time of the check, in milliseconds since the epoch; `undefined`: now. */
  readonly at?: number | undefined
}

/**
 * The state of a check of which a part is simulated. Where the identity is, no token is requested from a server, and
 * there is no credential to exchange for one: such tokens are left out of what the upstream would get, and only
 * their kind is reported.
 */
export const simulate = (state: CheckState, simulation: Simulation): CheckState => ({
  ...state,
  clock: simulation.at === undefined ? state.clock : stoppedAt(simulation.at, state.clock),
  routes: {
    find(request: Request): Route | undefined {
      const route = state.routes.find(request)
      return route && routeWith(route, simulation)
    },
  },
})

/** One moment for everything: expressions may read it. Durations are still measured. */
const stoppedAt = (at: number, clock: Clock): Clock => ({
  now: () => at,
  monotonic: () => clock.monotonic(),
})

const routeWith = (route: Route, { identity, reviewer }: Simulation): Route => ({
  ...route,
  chain: identity === undefined ? route.chain : chainOf(identity, route.chain),
  authorizer:
    reviewer === undefined ? route.authorizer : new Authorizer(route.authorizer.policy, reviewer),
  transformers: identity === undefined ? route.transformers : route.transformers.map(withoutServer),
})

/** Replaces a transformer that requests a token by one that makes nothing. Impersonation needs a transformer with it. */
const withoutServer = (transformer: Transformer): Transformer =>
  transformer.asks === true
    ? { kind: transformer.kind, transform: () => NOTHING_MADE }
    : transformer

const NOTHING_MADE = {
  outcome: 'transformed',
  forwarding: { setHeaders: [], repeatedHeaders: [] },
} as const

/** One link, which knows. It reads the same places, so that what is stripped is the same. */
const chainOf = (identity: Identity, { locations, challenges }: Route['chain']): Chain => {
  const authenticator: Authenticator = {
    name: identity.authenticator,
    challenges,
    locations,
    authenticate: () => ({ outcome: 'authenticated', credential: identity }),
  }
  const mapping = { identityOf: () => ({ outcome: 'identity', identity }) as const }
  return new Chain([{ authenticator, mapping }])
}

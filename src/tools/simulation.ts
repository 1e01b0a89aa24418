// Checks about somebody in particular, for tests and explanations: everything as on the live path,
// but that who asks, when, and what an API server says can be given. Nothing is audited or counted.

import type { Authenticator } from '../authenticate/authenticator.ts'
import { Chain } from '../authenticate/chain.ts'
import { Authorizer, type AccessReviewer } from '../authorize/authorizer.ts'
import type { Identity } from '../identity/identity.ts'
import type { CheckAttributes } from '../request/attributes.ts'
import type { Request } from '../request/request.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Transformer } from '../transform/transformer.ts'
import { check, type CheckState } from '../check/check.ts'
import type { Decision, Trail } from '../check/decision.ts'
import type { Route } from '../check/route.ts'

/**
 * The id of a decision that is nowhere recorded: the nil UUID (RFC 9562 §5.9), so that what comes of
 * equal checks is equal.
 */
export const UNRECORDED_ID = '00000000-0000-0000-0000-000000000000'

/** What is given. */
export interface Given {
  /** Who asks, as the route's authenticators would have it; `undefined`: it has to be proven. */
  readonly identity: Identity | undefined
  /** In place of the API server that rules with `subjectAccessReview` ask. */
  readonly reviewer?: AccessReviewer | undefined
  /** When it is asked, in milliseconds since the epoch; `undefined`: now. */
  readonly at?: number | undefined
}

/**
 * The state of a check in which what is given takes the place of asking. Where it is given who asks,
 * nobody is asked for a token either, and there is no credential to exchange for one: such tokens are
 * left out of what the upstream would see, and only their kind is told.
 */
export const withGiven = (state: CheckState, given: Given): CheckState => ({
  ...state,
  clock: given.at === undefined ? state.clock : stoppedAt(given.at, state.clock),
  routes: {
    find(request: Request): Route | undefined {
      const route = state.routes.find(request)
      return route && routeWith(route, given)
    },
  },
})

/** One moment for everything: expressions may read it. Durations are still measured. */
const stoppedAt = (at: number, clock: Clock): Clock => ({
  now: () => at,
  monotonic: () => clock.monotonic(),
})

const routeWith = (route: Route, { identity, reviewer }: Given): Route => ({
  ...route,
  chain: identity === undefined ? route.chain : chainOf(identity, route.chain),
  authorizer:
    reviewer === undefined ? route.authorizer : new Authorizer(route.authorizer.policy, reviewer),
  transformers: identity === undefined ? route.transformers : route.transformers.map(unasked),
})

/** Stands for one that asks, and makes nothing. It counts: impersonation needs something beside it. */
const unasked = (transformer: Transformer): Transformer =>
  transformer.asks === true
    ? { kind: transformer.kind, transform: () => NOTHING_MADE }
    : transformer

const NOTHING_MADE = {
  outcome: 'transformed',
  forwarding: { setHeaders: [], repeatedHeaders: [] },
} as const

/** One link, which knows. It reads the same places, so that what is stripped is the same. */
const chainOf = (identity: Identity, { carriers, challenges }: Route['chain']): Chain => {
  const authenticator: Authenticator = {
    name: identity.authenticator,
    challenges,
    carriers,
    authenticate: () => Promise.resolve({ outcome: 'authenticated', facts: identity }),
  }
  const mapping = { identityOf: () => ({ outcome: 'identity', identity }) as const }
  return new Chain([{ authenticator, mapping }])
}

/** Decides; what is thrown is a refusal, as at the boundary of the service. */
export const decide = async (
  attributes: CheckAttributes,
  state: CheckState,
  trail: Trail,
  signal: AbortSignal,
): Promise<Decision> => {
  try {
    return await check(attributes, state, trail, signal)
  } catch (cause) {
    return { outcome: 'deny', reason: signal.aborted ? 'too-slow' : 'fault', cause }
  }
}

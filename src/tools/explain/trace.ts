// A check that is observed: the same routes, links and rules, each of which records its input
// and its answer. It changes no answer, and the live path does not use it.

import type { Authentication, Authenticator } from '../../authenticate/authenticator.ts'
import { Chain, type ChainLink, type ChainResult } from '../../authenticate/chain.ts'
import {
  Authorizer,
  NO_REVIEW,
  type AccessReviewer,
  type AuthorizerVerdict,
  type Review,
} from '../../authorize/authorizer.ts'
import type { Question } from '../../authorize/question.ts'
import type { CheckState } from '../../check/check.ts'
import type { Route } from '../../check/route.ts'

/** Inputs and answers inside of one check, beyond its context; what was not reached is absent. */
export interface Trace {
  /** The answers of the links that were tried, by their positions in the chain. */
  readonly asked: Map<number, Authentication>
  chain?: ChainResult
  /** The input of the rules. */
  question?: Question
  verdict?: AuthorizerVerdict
  /** The answer of the API server. */
  review?: Review
}

/** The state of a check that fills in a trace. For one check. */
export const withTrace = (state: CheckState, trace: Trace): CheckState => ({
  ...state,
  routes: {
    find(request) {
      const route = state.routes.find(request)
      return route && tracedRoute(route, trace)
    },
  },
})

const tracedRoute = (route: Route, trace: Trace): Route => ({
  ...route,
  chain: tracedChain(route.chain, trace),
  authorizer: new TracedAuthorizer(route.authorizer, trace),
})

const tracedChain = (
  { links, locations, challenges }: Route['chain'],
  trace: Trace,
): Route['chain'] => {
  const chain = new Chain(links.map((link, place) => tracedLink(link, place, trace)))
  return {
    links,
    locations,
    challenges,
    async authenticate(request, signal) {
      const result = await chain.authenticate(request, signal)
      trace.chain = result
      return result
    },
  }
}

const tracedLink = (
  { authenticator, mapping }: ChainLink,
  place: number,
  trace: Trace,
): ChainLink => {
  const { name, challenges, locations } = authenticator
  const traced: Authenticator = {
    name,
    challenges,
    locations,
    async authenticate(request, signal) {
      try {
        const answer = await authenticator.authenticate(request, signal)
        trace.asked.set(place, answer)
        return answer
      } catch (cause) {
        trace.asked.set(place, { outcome: 'unavailable', cause })
        throw cause
      }
    },
  }
  return { authenticator: traced, mapping }
}

class TracedAuthorizer extends Authorizer {
  readonly #trace: Trace

  constructor({ policy, reviewer }: Authorizer, trace: Trace) {
    super(policy, tracedReviewer(reviewer, trace))
    this.#trace = trace
  }

  override async authorize(question: Question, signal: AbortSignal): Promise<AuthorizerVerdict> {
    this.#trace.question = question
    const verdict = await super.authorize(question, signal)
    this.#trace.verdict = verdict
    return verdict
  }
}

const tracedReviewer = (reviewer: AccessReviewer | undefined, trace: Trace): AccessReviewer => ({
  async review(question, signal) {
    const review = (await reviewer?.review(question, signal)) ?? NO_REVIEW
    trace.review = review
    return review
  },
})

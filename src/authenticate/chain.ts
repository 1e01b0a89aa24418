// Phase 3 for one route: its authenticators in order. The first whose kind of credential is present
// decides, so a wrong password is never retried as something else.

import type { IdentityMapping } from '../identity/mapping.ts'
import type { Request } from '../request/request.ts'
import type { Authentication, Authenticator } from './authenticator.ts'

/** An authenticator, and how its facts become an identity. */
export interface ChainLink {
  readonly authenticator: Authenticator
  readonly mapping: IdentityMapping
}

/** What the chain says: the outcome of the link that decided, or that none was applicable. */
export type ChainResult =
  | {
      readonly link: ChainLink
      readonly authentication: Exclude<Authentication, { outcome: 'not-applicable' }>
    }
  | { readonly link: undefined; readonly authentication: { readonly outcome: 'not-applicable' } }

/** The ordered authenticators of a route. */
export class Chain {
  readonly #links: readonly ChainLink[]
  /** Every distinct challenge, in order, for a 401. */
  readonly challenges: readonly string[]

  constructor(links: readonly ChainLink[]) {
    this.#links = links
    this.challenges = [...new Set(links.map(({ authenticator }) => authenticator.challenge))]
  }

  /** Asks each link in turn. Never rejects. */
  async authenticate(request: Request, signal: AbortSignal): Promise<ChainResult> {
    for (const link of this.#links) {
      // oxlint-disable-next-line no-await-in-loop -- the order is the meaning
      const authentication = await askFor(link.authenticator, request, signal)
      if (authentication.outcome !== 'not-applicable') return { link, authentication }
    }
    return { link: undefined, authentication: { outcome: 'not-applicable' } }
  }
}

const askFor = async (
  authenticator: Authenticator,
  request: Request,
  signal: AbortSignal,
): Promise<Authentication> => {
  try {
    return await authenticator.authenticate(request, signal)
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

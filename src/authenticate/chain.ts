// Phase 3 for one route: its authenticators in order. The first whose kind of credential is present
// decides, so a wrong password is never retried as something else.

import type { IdentityMapping } from '../identity/mapping.ts'
import type { Request } from '../request/request.ts'
import type { Authentication, Authenticator } from './authenticator.ts'
import { carrierKey, holds, type Carrier } from './carrier.ts'

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
  readonly #rivals: readonly Rival[]
  /** Every distinct challenge, in order, for a 401. */
  readonly challenges: readonly string[]
  /** Everywhere that a credential can stand which the chain takes. */
  readonly carriers: readonly Carrier[]

  constructor(links: readonly ChainLink[]) {
    this.#links = links
    this.challenges = [...new Set(links.flatMap(({ authenticator }) => authenticator.challenges))]
    this.carriers = links.flatMap(({ authenticator }) => authenticator.carriers)
    this.#rivals = rivalsAmong(links)
  }

  /** Asks each link in turn. Never rejects. */
  async authenticate(request: Request, signal: AbortSignal): Promise<ChainResult> {
    const [first] = this.#links
    if (first !== undefined && isInConflict(request, this.#rivals)) {
      return { link: first, authentication: { outcome: 'rejected', code: 'credential-conflict' } }
    }
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

/** A place for credentials, and which links are content with what stands there. */
interface Rival {
  readonly carrier: Carrier
  readonly links: ReadonlySet<ChainLink>
}

/**
 * The places of a request among which a caller has to choose; none where there is only one. A
 * certificate is of the connection, and goes with anything.
 */
const rivalsAmong = (links: readonly ChainLink[]): readonly Rival[] => {
  const places = links.flatMap((link) =>
    link.authenticator.carriers
      .filter(({ kind }) => kind !== 'connection')
      .map((carrier) => ({ carrier, link })),
  )
  const rivals = [...Map.groupBy(places, ({ carrier }) => carrierKey(carrier)).values()].flatMap(
    (same) =>
      same
        .slice(0, 1)
        .map(({ carrier }) => ({ carrier, links: new Set(same.map(({ link }) => link)) })),
  )
  return rivals.length > 1 ? rivals : []
}

/** Whether the request shows credentials in several places that no one link reads together. */
const isInConflict = (request: Request, rivals: readonly Rival[]): boolean => {
  if (rivals.length === 0) return false
  const [first, ...more] = rivals.filter(({ carrier }) => holds(request, carrier))
  if (first === undefined || more.length === 0) return false
  return [...first.links].every((link) => more.some(({ links }) => !links.has(link)))
}

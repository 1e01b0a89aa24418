// Phase 3 for one route: its authenticators in order. The first whose kind of credential is present
// decides, so a wrong password is never retried as something else.

import type { IdentityMapping } from '../identity/mapping.ts'
import type { SecretParameters } from '../request/query.ts'
import type { Request } from '../request/request.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { Authentication, Authenticator } from './authenticator.ts'
import {
  locationKey,
  holds,
  parametersAmong,
  type CredentialLocation,
} from '../request/credential-location.ts'

/** An authenticator, and how its facts become an identity. */
export interface ChainLink {
  readonly authenticator: Authenticator
  readonly mapping: Pick<IdentityMapping, 'identityOf'>
}

/**
 * What the chain says: the outcome of the link that decided; or of none, when none was applicable or
 * the request shows credentials of which only one could be meant.
 */
export type ChainResult =
  | {
      readonly link: ChainLink
      readonly authentication: Exclude<Authentication, { outcome: 'not-applicable' }>
    }
  | {
      readonly link: undefined
      readonly authentication:
        | { readonly outcome: 'not-applicable' }
        | {
            readonly outcome: 'rejected'
            readonly code: 'credential-conflict' | 'credential-malformed'
          }
    }

/** The ordered authenticators of a route. */
export class Chain {
  /** In the order in which they are asked. */
  readonly links: readonly ChainLink[]
  /** Every distinct challenge, in order, for a 401. */
  readonly challenges: readonly string[]
  /** Everywhere that a credential can stand which the chain takes. */
  readonly locations: readonly CredentialLocation[]
  readonly #rivalries: readonly Rivalry[]
  readonly #parameters: SecretParameters | undefined

  constructor(links: readonly ChainLink[]) {
    this.links = links
    this.challenges = [...new Set(links.flatMap(({ authenticator }) => authenticator.challenges))]
    this.locations = links.flatMap(({ authenticator }) => authenticator.locations)
    this.#rivalries = links.map((link) => ({ link, rivals: rivalsOf(link, this.locations) }))
    this.#parameters = parametersAmong(this.locations)
  }

  /** Asks each link in turn; at once where no link has to wait. Never throws and never rejects. */
  authenticate(request: Request, signal: AbortSignal): MaybePromise<ChainResult> {
    // Nobody here reads it, and an upstream may: refused before anybody's credential lets it pass.
    if (this.#parameters?.areDisguisedIn(request.query) === true) return DISGUISED
    return this.#from(0, request, signal)
  }

  #from(start: number, request: Request, signal: AbortSignal): MaybePromise<ChainResult> {
    for (let place = start; place < this.#rivalries.length; place++) {
      const rivalry = this.#rivalries[place]
      if (rivalry === undefined || this.#isSkipped(rivalry.link, request)) continue
      const asked = askFor(rivalry.link.authenticator, request, signal)
      if (asked instanceof Promise) {
        return asked.then(
          (authentication) =>
            decided(rivalry, authentication, request) ?? this.#from(place + 1, request, signal),
        )
      }
      const result = decided(rivalry, asked, request)
      if (result !== undefined) return result
    }
    return NOT_APPLICABLE
  }

  /** A request that carries a credential which no link judges, or not by itself, is not anonymous. */
  #isSkipped(link: ChainLink, request: Request): boolean {
    return takesNothing(link) && this.locations.some((location) => holds(request, location))
  }
}

/** A link, and where a credential beside its own would be a second one. */
interface Rivalry {
  readonly link: ChainLink
  readonly rivals: readonly CredentialLocation[]
}

/** What the answer of a link means for the chain; `undefined` where the next link has its turn. */
const decided = (
  { link, rivals }: Rivalry,
  authentication: Authentication,
  request: Request,
): ChainResult | undefined => {
  if (authentication.outcome === 'not-applicable') return undefined
  if (rivals.some((location) => holds(request, location))) return CONFLICT
  return { link, authentication }
}

const NOT_APPLICABLE: ChainResult = {
  link: undefined,
  authentication: { outcome: 'not-applicable' },
}

const CONFLICT: ChainResult = {
  link: undefined,
  authentication: { outcome: 'rejected', code: 'credential-conflict' },
}

const DISGUISED: ChainResult = {
  link: undefined,
  authentication: { outcome: 'rejected', code: 'credential-malformed' },
}

const askFor = (
  authenticator: Authenticator,
  request: Request,
  signal: AbortSignal,
): MaybePromise<Authentication> => {
  try {
    const asked = authenticator.authenticate(request, signal)
    return asked instanceof Promise ? asked.catch(unavailable) : asked
  } catch (cause) {
    return unavailable(cause)
  }
}

const unavailable = (cause: unknown): Authentication => ({ outcome: 'unavailable', cause })

/**
 * The places of a request that may hold nothing when the link decides: another link would have
 * decided by what stands there. A certificate is of the connection, and a cookie is sent by the browser:
 * they go with anything.
 */
const rivalsOf = (
  { authenticator }: ChainLink,
  locations: readonly CredentialLocation[],
): readonly CredentialLocation[] => {
  const own = new Set(authenticator.locations.map(locationKey))
  if (authenticator.locations.every(isAmbient)) return []
  const elsewhere = [...locations, ...(authenticator.unread ?? [])]
  const others = elsewhere.filter(
    (location) => !isAmbient(location) && !own.has(locationKey(location)),
  )
  return [...new Map(others.map((location) => [locationKey(location), location])).values()]
}

/** Whether the link is for callers without a credential. */
const takesNothing = ({ authenticator }: ChainLink): boolean => authenticator.locations.length === 0

/** Shown with every request, whatever that is about: by a connection, or by a browser. */
const isAmbient = ({ kind }: CredentialLocation): boolean =>
  kind === 'connection' || kind === 'cookie'

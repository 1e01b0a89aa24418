// Phase 3 for one route: its authenticators in order. The first whose kind of credential is present decides, so a
// wrong password is never verified as another credential.

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

/** An authenticator, and its identity mapping. */
export interface ChainLink {
  readonly authenticator: Authenticator
  readonly mapping: Pick<IdentityMapping, 'identityOf'>
}

/**
 * The outcome of the chain: that of the authenticator that decided; or of none, when none was applicable or the
 * request has conflicting credentials.
 */
export type ChainResult =
  | {
      readonly link: ChainLink
      readonly authentication: Exclude<Authentication, { outcome: 'not-applicable' }>
    }
  | {
      readonly link: undefined
      readonly authentication:
        | {
            readonly outcome: 'not-applicable'
            /** Why the credential that the request has is of no authenticator, where one says so. */
            readonly detail?: () => string
          }
        | {
            readonly outcome: 'rejected'
            readonly code: 'credential-conflict' | 'credential-malformed'
          }
    }

/** The ordered authenticators of a route. */
export class Chain {
  /** In the order in which they are called. */
  readonly links: readonly ChainLink[]
  /** Every distinct challenge, in order, for a 401. */
  readonly challenges: readonly string[]
  /** Every location of a credential that the chain accepts. */
  readonly locations: readonly CredentialLocation[]
  readonly #conflicts: readonly Conflicts[]
  readonly #parameters: SecretParameters | undefined

  constructor(links: readonly ChainLink[]) {
    this.links = links
    this.challenges = [...new Set(links.flatMap(({ authenticator }) => authenticator.challenges))]
    this.locations = links.flatMap(({ authenticator }) => authenticator.locations)
    this.#conflicts = links.map((link) => ({
      link,
      conflicting: conflictingLocations(link, this.locations),
    }))
    this.#parameters = parametersAmong(this.locations)
  }

  /** Calls each authenticator in turn; synchronous where none has to wait. Never throws and never rejects. */
  authenticate(request: Request, signal: AbortSignal): MaybePromise<ChainResult> {
    // No authenticator reads this parameter, and an upstream may: refused before any credential is accepted.
    if (this.#parameters?.areDisguisedIn(request.query) === true) return DISGUISED
    return this.#from(0, request, signal)
  }

  #from(
    start: number,
    request: Request,
    signal: AbortSignal,
    earlier?: () => string,
  ): MaybePromise<ChainResult> {
    let detail = earlier
    for (let place = start; place < this.#conflicts.length; place++) {
      const conflicts = this.#conflicts[place]
      if (conflicts === undefined || this.#isSkipped(conflicts.link, request)) continue
      const asked = askFor(conflicts.link.authenticator, request, signal)
      if (asked instanceof Promise) {
        return asked.then(
          (authentication) =>
            decided(conflicts, authentication, request) ??
            this.#from(place + 1, request, signal, both(detail, detailOf(authentication))),
        )
      }
      const result = decided(conflicts, asked, request)
      if (result !== undefined) return result
      detail = both(detail, detailOf(asked))
    }
    return detail === undefined
      ? NOT_APPLICABLE
      : { link: undefined, authentication: { outcome: 'not-applicable', detail } }
  }

  /** A request with a credential that no authenticator verifies, or not by itself, is not anonymous. */
  #isSkipped(link: ChainLink, request: Request): boolean {
    return takesNothing(link) && this.locations.some((location) => holds(request, location))
  }
}

/** An authenticator, and the locations whose values would be a second credential. */
interface Conflicts {
  readonly link: ChainLink
  readonly conflicting: readonly CredentialLocation[]
}

/** The result of the chain by the outcome of one authenticator; `undefined` where the chain continues. */
const decided = (
  { link, conflicting }: Conflicts,
  authentication: Authentication,
  request: Request,
): ChainResult | undefined => {
  if (authentication.outcome === 'not-applicable') return undefined
  for (const location of conflicting) if (holds(request, location)) return CONFLICT
  return { link, authentication }
}

const detailOf = (authentication: Authentication): Detail =>
  authentication.outcome === 'not-applicable' ? authentication.detail : undefined

type Detail = (() => string) | undefined

const both = (one: Detail, other: Detail): Detail =>
  one === undefined || other === undefined ? (one ?? other) : () => `${one()}; ${other()}`

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
 * The locations that must be empty when this authenticator decides: another one would verify what is there. A
 * certificate belongs to the connection, and a cookie is sent by the browser: they are compatible with any credential.
 */
const conflictingLocations = (
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

/** Whether the authenticator is for requests without a credential. */
const takesNothing = ({ authenticator }: ChainLink): boolean => authenticator.locations.length === 0

/** Sent with every request: by the connection, or by the browser. */
const isAmbient = ({ kind }: CredentialLocation): boolean =>
  kind === 'connection' || kind === 'cookie'

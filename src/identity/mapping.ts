// Phase 4: proven facts → one `Identity`. What cannot be named safely to an upstream is refused
// here, once, rather than by every transform.

import type { Facts, Identity, IdentityRefusal } from './identity.ts'
import { findReserved } from './reserved.ts'

/** The outcome of phase 4. */
export type MappingResult =
  | { readonly outcome: 'identity'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly code: IdentityRefusal }

/** The identity rules of one authenticator. */
export class IdentityMapping {
  readonly #authenticator: string
  readonly #allowReserved: ReadonlySet<string>
  // The mapping is a pure function of the facts, and remembered facts come by again and again.
  readonly #known = new WeakMap<Facts, MappingResult>()

  constructor(authenticator: string, allowReserved: readonly string[]) {
    this.#authenticator = authenticator
    this.#allowReserved = new Set(allowReserved)
  }

  /** The identity that the facts amount to. */
  identityOf(facts: Facts): MappingResult {
    const known = this.#known.get(facts)
    if (known !== undefined) return known
    const result = this.#map(facts)
    this.#known.set(facts, result)
    return result
  }

  #map(facts: Facts): MappingResult {
    if (!isRepresentable(facts)) return { outcome: 'refused', code: 'identity-unrepresentable' }
    if (findReserved(facts, this.#allowReserved) !== undefined) {
      return { outcome: 'refused', code: 'identity-reserved' }
    }
    const identity = Object.freeze({ ...facts, authenticator: this.#authenticator })
    return { outcome: 'identity', identity }
  }
}

// Control characters cannot stand in a header or a certificate, and space at either end is lost on
// the way (RFC 9110 §5.5), which would make two names one.
const UNREPRESENTABLE = /\p{Cc}|\p{Cs}|^\s|\s$|^$/u

/** Whether a name or value can be written into a header whole (RFC 9110 §5.5) and not be lost. */
export const canBePassedOn = (text: string): boolean => !UNREPRESENTABLE.test(text)

const isRepresentable = ({ user, uid, groups, extra }: Facts): boolean =>
  [
    user,
    ...(uid === undefined ? [] : [uid]),
    ...groups,
    ...Object.entries(extra).flatMap(([key, values]) => [key, ...values]),
  ].every(canBePassedOn)

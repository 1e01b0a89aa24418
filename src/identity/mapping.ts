// Phase 4: proven facts → one `Identity`. What cannot be named safely to an upstream is refused
// here, once, rather than by every transform.

import type { TextExpression } from '../expression/cel.ts'
import type { Facts, Identity, IdentityRefusal } from './identity.ts'
import { findReserved } from './reserved.ts'

/** The outcome of phase 4. */
export type MappingResult =
  | { readonly outcome: 'identity'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly code: IdentityRefusal }

/** Expressions that say who somebody is; what has none is as the authenticator says. */
interface IdentityExpressions {
  readonly user?: TextExpression | undefined
  readonly uid?: TextExpression | undefined
  readonly groups?: TextExpression | undefined
  readonly extra?: Readonly<Record<string, TextExpression>> | undefined
}

/** What an authenticator's identities may be. */
export interface IdentityRules {
  /** Reserved names that it may yield all the same. */
  readonly allowReserved: readonly string[]
  readonly expressions?: IdentityExpressions | undefined
  /** The most groups that an identity may have, and what becomes of one with more. */
  readonly groups?: { readonly most: number; readonly beyond: 'refuse' | 'cut' } | undefined
}

/** The identity rules of one authenticator. */
export class IdentityMapping {
  readonly #authenticator: string
  readonly #rules: IdentityRules
  readonly #allowReserved: ReadonlySet<string>
  // The mapping is a pure function of the facts, and remembered facts come by again and again.
  readonly #known = new WeakMap<Facts, MappingResult>()

  constructor(authenticator: string, rules: IdentityRules) {
    this.#authenticator = authenticator
    this.#rules = rules
    this.#allowReserved = new Set(rules.allowReserved)
  }

  /** The identity that the facts amount to. */
  identityOf(facts: Facts): MappingResult {
    const known = this.#known.get(facts)
    if (known !== undefined) return known
    const result = this.#map(facts)
    this.#known.set(facts, result)
    return result
  }

  #map(proven: Facts): MappingResult {
    const { expressions, groups: limit } = this.#rules
    const facts = expressions === undefined ? proven : applied(expressions, proven)
    if (facts === undefined) return { outcome: 'refused', code: 'identity-unmapped' }
    if (!isRepresentable(facts)) return { outcome: 'refused', code: 'identity-unrepresentable' }
    if (findReserved(facts, this.#allowReserved) !== undefined) {
      return { outcome: 'refused', code: 'identity-reserved' }
    }
    if (limit !== undefined && facts.groups.length > limit.most && limit.beyond === 'refuse') {
      return { outcome: 'refused', code: 'identity-too-large' }
    }
    const groups = facts.groups.slice(0, limit?.most)
    const identity = Object.freeze({ ...facts, groups, authenticator: this.#authenticator })
    return { outcome: 'identity', identity }
  }
}

/** The facts as the expressions have them; `undefined` when one of them yields nothing of use. */
const applied = (expressions: IdentityExpressions, facts: Facts): Facts | undefined => {
  const { user, uid, groups, extra, claims, certificate } = facts
  const variables = { account: { user, uid, groups, extra }, claims, certificate }
  const listOf = (expression: TextExpression | undefined, fallback: readonly string[]) =>
    expression === undefined ? fallback : expression.evaluate(variables)
  const users = listOf(expressions.user, [user])
  const uids = listOf(expressions.uid, uid === undefined ? [] : [uid])
  const names = listOf(expressions.groups, groups)
  const extras = Object.entries(expressions.extra ?? {}).map(
    ([key, expression]) => [key, expression.evaluate(variables)] as const,
  )
  // One name, or nobody knows which.
  if (users?.length !== 1 || uids === undefined || uids.length > 1 || names === undefined) {
    return undefined
  }
  if (extras.some(([, values]) => values === undefined)) return undefined
  return {
    ...facts,
    user: users.join(),
    uid: uids[0],
    groups: names,
    extra: expressions.extra === undefined ? extra : present(extras),
  }
}

const present = (
  extras: readonly (readonly [string, readonly string[] | undefined])[],
): Facts['extra'] => Object.fromEntries(extras.map(([key, values]) => [key, values ?? []]))

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

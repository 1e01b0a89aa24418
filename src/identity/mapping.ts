// Phase 4: a proven credential → one `Identity`. What cannot be named safely to an upstream is refused
// here, once, rather than by every transform.

import { AS_PROVEN, type IdentityConfig } from './schema.ts'
import { Budget, sharing } from '../expression/budget.ts'
import type { TextExpression } from '../expression/cel.ts'
import { compileGroupSteps, type GroupSteps } from './groups.ts'
import type { ProvenCredential, Identity, IdentityRefusal } from './identity.ts'
import { findReserved } from './reserved.ts'
import { Derived, keepsDerived } from '../runtime/derived.ts'
import type { Logger } from '../runtime/logger.ts'

/** The outcome of phase 4. */
export type MappingResult =
  | { readonly outcome: 'identity'; readonly identity: Identity }
  | {
      readonly outcome: 'refused'
      readonly code: IdentityRefusal
      /** What of it was refused, for operators: the place and the reason, never a value. */
      readonly detail: string
    }

/** What an authenticator's identities may be. */
export interface IdentityRules {
  /** Reserved names that it may yield all the same. */
  readonly allowReserved: readonly string[]
  /** Default: everything as proven, within the default limits. */
  readonly identity?: IdentityConfig | undefined
}

/** Called once for each proven credential whose result is not as expected: a refusal, or groups cut off. */
export type MappingReport = (result: MappingResult) => void

type Refused = Extract<MappingResult, { outcome: 'refused' }>

/** The identity rules of one authenticator. */
export class IdentityMapping {
  readonly #authenticator: string
  readonly #config: IdentityConfig
  readonly #steps: GroupSteps
  readonly #allowReserved: ReadonlySet<string>
  readonly #report: MappingReport
  // The mapping is a pure function of the credential; cached credentials recur.
  readonly #known = new Derived<ProvenCredential, MappingResult>()

  constructor(authenticator: string, rules: IdentityRules, report: MappingReport = () => {}) {
    this.#authenticator = authenticator
    this.#config = rules.identity ?? AS_PROVEN
    this.#steps = compileGroupSteps(this.#config.groups)
    this.#allowReserved = new Set(rules.allowReserved)
    this.#report = report
  }

  /** The identity of a credential. */
  identityOf(credential: ProvenCredential): MappingResult {
    const known = this.#known.get(credential)
    if (known !== undefined) return known
    const result = this.#map(credential)
    this.#known.set(credential, result)
    if (result.outcome === 'refused' || result.identity.groupsOmitted !== undefined) {
      this.#report(result)
    }
    return result
  }

  #map(proven: ProvenCredential): MappingResult {
    const named = sharing(new Budget(), () => applied(this.#config, proven))
    if ('outcome' in named) return named
    const credential = { ...named, groups: this.#steps.shape(named.groups) }
    const odd = unrepresentablePlace(credential)
    if (odd !== undefined) return refused('identity-unrepresentable', odd)
    // Before groups are cut: a caller with a reserved group must not pass by losing it.
    if (findReserved(credential, this.#allowReserved) !== undefined) {
      const place = isReserved(credential.user, this.#allowReserved) ? 'user' : 'groups'
      return refused('identity-reserved', place)
    }
    const large = excess(credential, this.#config.limits)
    if (large !== undefined) return refused('identity-too-large', large)
    return this.#limited(credential)
  }

  #limited(credential: ProvenCredential): MappingResult {
    const { max, maxBytes, onExcess } = this.#config.groups
    const { length } = credential.groups
    const fitting = this.#steps.fitting(credential.groups)
    if (fitting < length && onExcess === 'refuse') {
      const limit = `at most ${max} with ${maxBytes} bytes`
      return refused('identity-too-large', `groups: ${length}, where there may be ${limit}`)
    }
    const identity = keepsDerived({
      ...credential,
      groups: keepsDerived(credential.groups.slice(0, fitting)),
      authenticator: this.#authenticator,
      ...(fitting < length ? { groupsOmitted: length - fitting } : {}),
    })
    return { outcome: 'identity', identity: Object.freeze(identity) }
  }
}

const refused = (code: IdentityRefusal, detail: string): Refused => ({
  outcome: 'refused',
  code,
  detail,
})

const isReserved = (user: string, allowed: ReadonlySet<string>): boolean =>
  findReserved({ user, groups: [] }, allowed) !== undefined

/** The credential with the results of the expressions, or the first expression whose result is unusable. */
const applied = (
  config: IdentityConfig,
  credential: ProvenCredential,
): ProvenCredential | Refused => {
  const { user, uid, groups, extra, claims, certificate } = credential
  const variables = { account: { user, uid, groups, extra }, claims, certificate }
  const failures: string[] = []
  const valuesOf = (
    place: string,
    expression: TextExpression | undefined,
    fallback: readonly string[],
    most = Infinity,
  ): readonly string[] => {
    const values = expression === undefined ? fallback : expression.evaluate(variables)
    if (values === undefined) {
      failures.push(`${place}: ${expression?.explain(variables) ?? ''}`)
    } else if (values.length > most) {
      failures.push(`${place}: yields ${values.length} values, where one belongs`)
    }
    return values ?? []
  }
  const users = valuesOf('user', config.user, [user], 1)
  if (users.length === 0 && failures.length === 0) failures.push('user: yields no value')
  const uids = valuesOf('uid', config.uid, uid === undefined ? [] : [uid], 1)
  const names = valuesOf('groups', config.groups.from, groups)
  const extras = Object.entries(config.extra ?? {}).map(
    ([key, expression]) => [key, valuesOf(`extra.${key}`, expression, [])] as const,
  )
  if (failures.length > 0) return refused('identity-unmapped', failures.join('; '))
  return {
    ...credential,
    user: users.join(),
    uid: uids[0],
    groups: names,
    extra:
      config.extra === undefined
        ? extra
        : Object.fromEntries(extras.filter(([, values]) => values.length > 0)),
  }
}

// A header or a certificate cannot contain control characters, and space at either end is lost
// in transport (RFC 9110 §5.5), which would make two names equal.
const UNREPRESENTABLE = /\p{Cc}|\p{Cs}|^\s|\s$|^$/u

/** Whether a name or value can be written into a header whole (RFC 9110 §5.5) and not be lost. */
export const canBePassedOn = (text: string): boolean => !UNREPRESENTABLE.test(text)

/** The place of a value that cannot be forwarded. */
const unrepresentablePlace = ({
  user,
  uid,
  groups,
  extra,
}: ProvenCredential): string | undefined => {
  if (!canBePassedOn(user)) return 'user'
  if (uid !== undefined && !canBePassedOn(uid)) return 'uid'
  if (!groups.every(canBePassedOn)) return 'groups'
  const odd = Object.entries(extra).some(([key, values]) => ![key, ...values].every(canBePassedOn))
  return odd ? 'extra' : undefined
}

/** The place of a value that exceeds its limit, groups excepted. */
const excess = (
  { user, uid, extra }: ProvenCredential,
  limits: IdentityConfig['limits'],
): string | undefined => {
  const entries = Object.entries(extra)
  const pairs = entries.flatMap(([key, values]) => values.map((value) => key + value))
  const sizes = [
    { what: 'bytes of user', size: Buffer.byteLength(user), most: limits.user },
    { what: 'bytes of uid', size: Buffer.byteLength(uid ?? ''), most: limits.uid },
    { what: 'values of extra', size: pairs.length, most: limits.extraValues },
    { what: 'bytes of extra', size: Buffer.byteLength(pairs.join('')), most: limits.extra },
  ]
  const large = sizes.find(({ size, most }) => size > most)
  return large && `${large.size} ${large.what}, where there may be ${large.most}`
}

/** Logs what operators have to know of identities: which expression failed, what was cut. */
export const mappingReport =
  (authenticator: string, logger: Logger): MappingReport =>
  (result) => {
    if (result.outcome === 'refused') {
      const { code: reason, detail } = result
      logger.warn({ authenticator, reason, detail }, 'identity refused')
    } else {
      const { groupsOmitted, groups } = result.identity
      logger.warn({ authenticator, groupsOmitted, groups: groups.length }, 'groups omitted')
    }
  }

// Phase 5: may this identity make this request? The only place where a `Permit` comes from.

import type { Identity } from '../identity/identity.ts'
import type { Request } from '../request/request.ts'
import type { Policy } from './policy.ts'

/**
 * Proof that a rule allowed a request. Its class stays in this file and has a private field, so
 * nothing else can make one and no look-alike object compiles; `transform` accepts nothing less.
 */
class Permit {
  readonly #proof = true
  readonly identity: Identity
  readonly request: Request
  /** The rule that allowed it. */
  readonly rule: string

  constructor(identity: Identity, request: Request, rule: string) {
    this.identity = identity
    this.request = request
    this.rule = rule
  }

  /** Whether the value is a permit made here; for the one place that turns permits into answers. */
  static isGenuine(value: object): boolean {
    return #proof in value && value.#proof
  }
}

export type { Permit }

/** The first rule that matches decides; when none does, the request is refused. */
export type Verdict =
  | { readonly outcome: 'permit'; readonly permit: Permit }
  | { readonly outcome: 'denied'; readonly rule: string }
  | { readonly outcome: 'no-rule' }

/** Evaluates a policy. Pure: the same question has the same answer, and nothing is remembered. */
export const evaluate = (policy: Policy, identity: Identity, request: Request): Verdict => {
  const rule = policy.find((candidate) => candidate.matches(identity, request))
  if (rule === undefined) return { outcome: 'no-rule' }
  return rule.effect === 'allow'
    ? { outcome: 'permit', permit: new Permit(identity, request, rule.name) }
    : { outcome: 'denied', rule: rule.name }
}

/** Whether the value is a permit that {@link evaluate} made: a cast cannot get past this. */
export const isPermit = (value: object): value is Permit => Permit.isGenuine(value)

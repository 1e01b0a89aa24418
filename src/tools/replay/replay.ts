// A recorded decision, decided again by other rules: the same, changed, or undetermined by the
// log. Sends no requests, and reports no change that could come from what the log does not hold.

import { evaluate, type ShadowVerdict, type Verdict } from '../../authorize/evaluate.ts'
import type { Policy } from '../../authorize/policy.ts'
import type { Question } from '../../authorize/question.ts'
import {
  recordedPolicy,
  unrecordedIn,
  type UnrecordedDemand,
} from '../../authorize/recorded-policy.ts'
import type { Request } from '../../request/request.ts'
import type { Route, RouteTable } from '../../check/route.ts'
import type { Outcome, RecordedCheck } from './recorded-event.ts'
import {
  recordedQuestion,
  recordedRequest,
  type RecordedRequest,
  type UnrecordedPart,
} from './recorded-question.ts'

/** Why a decision is undetermined. */
export type UndeterminedReason =
  | UnrecordedPart
  | UnrecordedDemand
  /** The operation needs scopes, and claims are not in the log. */
  | 'scopes'
  /** Groups were cut off, and the change could be owed to one of them. */
  | 'groups'
  /** The route no longer has the authenticator that proved the caller. */
  | 'authenticator'
  /** A rule began or ended to be in force while it was decided. */
  | 'time'

/** The outcome of a decision. */
export type Replayed = Comparison & {
  /** The route that decides now; `undefined`: none. */
  readonly route: string | undefined
  /** Host and path lead to this other route: an Envoy that is configured to may choose it. */
  readonly elsewhere?: string | undefined
}

type Comparison = ({ readonly outcome: 'same' | 'changed' } & DecidedNow) | Undetermined

/** What is decided now. */
interface DecidedNow {
  readonly after: Outcome
  readonly shadows: readonly ShadowChange[]
}

interface Undetermined {
  readonly outcome: 'undetermined'
  readonly what: UndeterminedReason
  /** The rule that could not be answered. */
  readonly rule?: string | undefined
}

/** What a rule in shadow decided, and decides now; `none`: nothing, or it is not in shadow. */
export interface ShadowChange {
  readonly rule: string
  readonly before: ShadowVerdict['decision'] | 'none'
  readonly after: ShadowVerdict['decision'] | 'none'
}

/** The routes of a configuration, by which recorded decisions are made again. */
export class Replay {
  readonly #routes: Pick<RouteTable, 'find'>
  readonly #rematch: boolean
  readonly #policies = new Map<Policy, Policy>()

  /** @param rematch whether routes are found by host and path although the log names one */
  constructor(
    routes: Pick<RouteTable, 'find'>,
    { rematch = false }: { readonly rematch?: boolean } = {},
  ) {
    this.#routes = routes
    this.#rematch = rematch
  }

  /** Decides again. The same question has the same answer. */
  decide(asked: RecordedCheck): Replayed {
    const reading = recordedRequest(asked)
    if (reading.outcome === 'undetermined') return { ...reading, route: undefined }
    if (reading.outcome === 'refused') {
      return { ...compared(asked, refused(reading.code)), route: undefined }
    }
    const { route, elsewhere } = this.#routeOf(asked, reading.request)
    if (route === undefined) return { ...compared(asked, refused('no-route')), route: undefined }
    const decision =
      route.otherRouteOf?.(reading.request) === undefined
        ? this.#decideBy(route, asked, reading)
        : compared(asked, refused('ambiguous-path'))
    return { ...decision, route: route.name, elsewhere }
  }

  /** By its name, since Envoy may have chosen it; else, or when requested, by host and path. */
  #routeOf(
    { route: name }: RecordedCheck,
    request: Request,
  ): { readonly route: Route | undefined; readonly elsewhere: string | undefined } {
    const matched = this.#routes.find(request)
    const named = this.#routes.find({ ...request, routeName: name })
    const route = this.#rematch ? matched : (named ?? matched)
    const elsewhere = matched === route ? undefined : matched?.name
    return { route, elsewhere }
  }

  #decideBy(route: Route, asked: RecordedCheck, reading: RecordedRequest): Comparison {
    const { links } = route.chain
    if (!links.some(({ authenticator }) => authenticator.name === asked.link)) {
      return { outcome: 'undetermined', what: 'authenticator' }
    }
    const policy = this.#policyOf(route)
    const decideAt = (at: number): Comparison => {
      const asking = recordedQuestion({ ...asked, at }, route, reading)
      if (asking.outcome === 'undetermined') return asking
      if (asking.outcome === 'refused') return compared(asked, refused(asking.code))
      return compared(asked, decided(policy, asking.question, asked.shadows))
    }
    const comparison = decideAt(asked.at)
    if (comparison.outcome !== 'changed') return comparison
    if (asked.identity.groupsOmitted !== undefined && looksAtGroups(policy)) {
      return { outcome: 'undetermined', what: 'groups' }
    }
    // The rules were evaluated shortly before the event was written.
    const began = asked.duration === 0 ? comparison : decideAt(asked.at - asked.duration)
    return began.outcome === 'changed' ? comparison : { outcome: 'undetermined', what: 'time' }
  }

  #policyOf({ authorizer: { policy } }: Route): Policy {
    const known = this.#policies.get(policy)
    if (known !== undefined) return known
    const recorded = recordedPolicy(policy)
    this.#policies.set(policy, recorded)
    return recorded
  }
}

type Decided = ({ readonly outcome: 'decided' } & DecidedNow) | Undetermined

const compared = ({ outcome: before }: RecordedCheck, now: Decided): Comparison => {
  if (now.outcome === 'undetermined') return now
  const { after, shadows } = now
  // The log does not always tell which rule allowed.
  const sameRule =
    before.rule === after.rule || (before.decision === 'allow' && before.rule === undefined)
  const same = before.decision === after.decision && before.reason === after.reason && sameRule
  return { outcome: same ? 'same' : 'changed', after, shadows }
}

const refused = (reason: Outcome['reason']): Decided => ({
  outcome: 'decided',
  after: { decision: 'deny', reason },
  shadows: [],
})

const decided = (policy: Policy, question: Question, before: readonly ShadowVerdict[]): Decided => {
  const verdict = evaluate(policy, question)
  const outcome = outcomeOf(verdict, question)
  if ('what' in outcome) return { outcome: 'undetermined', ...outcome }
  const shadows = shadowChanges(before, verdict.shadows, policy, question)
  return { outcome: 'decided', after: outcome, shadows }
}

/** The decision that `check` derives from a verdict. */
const outcomeOf = (
  verdict: Verdict,
  question: Question,
): Outcome | { readonly what: UndeterminedReason; readonly rule?: string } => {
  switch (verdict.outcome) {
    case 'permit':
      return { decision: 'allow', reason: 'permitted', rule: verdict.permit.rule }
    case 'denied':
      return { decision: 'deny', reason: 'rule-denied', rule: verdict.rule.name }
    case 'failed': {
      const rule = verdict.rule.name
      const what = unrecordedIn(verdict.rule, question)
      return what === undefined ? { decision: 'deny', reason: 'rule-failed', rule } : { what, rule }
    }
    case 'no-rule':
      return {
        decision: 'deny',
        reason: question.kubernetes?.impersonation === undefined ? 'no-rule' : 'impersonation',
      }
    case 'operation-undefined':
      return { decision: 'deny', reason: verdict.outcome }
    case 'scope-missing':
      return { what: 'scopes' }
    case 'review-needed':
      return { what: 'access-review' }
  }
}

const looksAtGroups = ({ rules }: Policy): boolean =>
  rules.some(({ matchers }) => matchers.some(({ key }) => key === 'groups' || key === 'when'))

/** The determined ones; a rule in shadow that the log cannot decide is left out. */
const shadowChanges = (
  before: readonly ShadowVerdict[],
  after: readonly ShadowVerdict[],
  policy: Policy,
  question: Question,
): readonly ShadowChange[] => {
  if (before.length === 0 && after.length === 0) return []
  const [then, now] = [before, after].map(
    (verdicts) => new Map(verdicts.map(({ rule, decision }) => [rule, decision])),
  )
  const changes = [...new Set([...before, ...after].map(({ rule }) => rule))].map((rule) => ({
    rule,
    before: then?.get(rule) ?? ('none' as const),
    after: now?.get(rule) ?? ('none' as const),
  }))
  return changes.filter(
    (change) => change.before !== change.after && !isUndetermined(change, policy, question),
  )
}

const isUndetermined = (
  { rule: name, after }: ShadowChange,
  { rules }: Policy,
  question: Question,
): boolean => {
  if (after !== 'failed') return false
  const rule = rules.find((one) => one.name === name && one.shadow)
  return rule !== undefined && unrecordedIn(rule, question) !== undefined
}

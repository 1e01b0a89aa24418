// Rules and their findings. A rule names one setting that can be missing or dangerous, with its problem, risk
// and remedy, so that the list of all rules is their documentation.

import type { Path, Setting } from './view/setting.ts'

/** `error`: an identity can leak or be forged, or requests fail. `warning`: it costs something. */
export type Severity = 'error' | 'warning'

/** The texts of a rule. */
export interface RuleText {
  /** Stable, kebab-case. */
  readonly id: string
  /** The usual severity; a hit may have another. */
  readonly severity: Severity
  /** What is wrong. */
  readonly problem: string
  /** What can happen. */
  readonly risk: string
  /** The setting to write. */
  readonly remedy: string
  /** The remedy with Istio, when it is not an EnvoyFilter with `remedy`. */
  readonly istio?: string
}

/** A rule about one kind of thing. */
export interface Rule<Subject> extends RuleText {
  /** The places where it is broken; none when the setting is right. Pure. */
  readonly find: (subject: Subject) => readonly Hit[]
}

/** A place where a rule is broken. */
export interface Hit {
  readonly at: Setting
  /** What is wrong here in particular. */
  readonly detail?: string
  readonly severity?: Severity
}

/** A rule that is broken, and where. */
export interface Finding {
  readonly rule: string
  readonly severity: Severity
  /** The way to the setting, or to where it is missing. */
  readonly path: Path
  readonly problem: string
  readonly risk: string
  readonly remedy: string
}

/** One hit if `broken`, else none. */
export const when = (broken: boolean, at: Setting, more: Omit<Hit, 'at'> = {}): readonly Hit[] =>
  broken ? [{ at, ...more }] : []

/**
 * Applies every rule to every subject.
 *
 * @param patch where Istio configures Envoy: the EnvoyFilter that changes what the rules are about
 */
export const applyRules = <Subject>(
  rules: readonly Rule<Subject>[],
  subjects: readonly Subject[],
  patch?: string,
): readonly Finding[] =>
  rules.flatMap(({ id, severity, problem, risk, remedy, istio, find }) =>
    subjects.flatMap(find).map((hit) => ({
      rule: id,
      severity: hit.severity ?? severity,
      path: hit.at.path,
      problem: hit.detail === undefined ? problem : `${problem}: ${hit.detail}`,
      risk,
      remedy: patch === undefined ? remedy : (istio ?? `${patch}: ${remedy}`),
    })),
  )

// The text output of `countersign replay`.

import type { Outcome } from '../../tools/replay/recorded-event.ts'
import type {
  ChangeGroup,
  MovedGroup,
  ReplayCount,
  ShadowGroup,
  UndeterminedGroup,
} from '../../tools/replay/summary.ts'
import { counted, linesAsText } from '../format.ts'
import { UNDETERMINED_BECAUSE } from './undetermined.ts'

/** Counts. */
export interface ReplayTotals {
  /** Lines with something in them. */
  readonly lines: number
  /** Decisions among them. */
  readonly decisions: number
  /** Decisions that options exclude (`--since` and the like). */
  readonly left: number
  /** Decisions that were made before any rule. */
  readonly beforeRules: number
  readonly same: number
  readonly changed: number
  readonly undetermined: number
  /** Refusals that have no event of their own: made before the rules, nearly all of them. */
  readonly summarised: number
  /** Lines about something else. */
  readonly other: number
  readonly unreadable: number
}

/** The results, in groups. */
export interface ReplayGroups {
  readonly changes: readonly ChangeGroup[]
  readonly undetermined: readonly UndeterminedGroup[]
  readonly shadows: readonly ShadowGroup[]
  readonly moved: readonly MovedGroup[]
}

/** The report, with a line feed at its end. Names in it come from a log: no control characters. */
export const replayText = (config: string, totals: ReplayTotals, groups: ReplayGroups): string => {
  return linesAsText([
    ...totalLines(totals),
    ...section('changed', groups.changes, changeTitle),
    ...section('undetermined', groups.undetermined, undeterminedTitle),
    ...section('shadow rules, which do not decide', groups.shadows, shadowTitle),
    ...section('host and path lead to another route (see --rematch)', groups.moved, movedTitle),
    '',
    `${config}: ${verdict(totals)}`,
  ])
}

const totalLines = (totals: ReplayTotals): readonly string[] => {
  const { lines, decisions, left, beforeRules, same, changed, undetermined } = totals
  const optional: readonly (readonly [string, number])[] = [
    ['left out', left],
    ['made before the rules', beforeRules],
  ]
  const others: readonly (readonly [string, number])[] = [
    ['refusals in summaries', totals.summarised],
    ['lines about something else', totals.other],
    ['lines that cannot be read', totals.unreadable],
  ]
  const rows: readonly (readonly [string, number])[] = [
    ['lines', lines],
    ['decisions', decisions],
    ...optional.filter(([, count]) => count > 0),
    ['  same', same],
    ['  changed', changed],
    ['  undetermined', undetermined],
    ...others.filter(([, count]) => count > 0),
  ]
  return rows.map(([what, count]) => `${what.padEnd(28)}${String(count).padStart(9)}`)
}

const verdict = ({ changed, undetermined }: ReplayTotals): string => {
  const nothing = changed === 0 ? 'no decision changes' : `${counted(changed, 'decision')} change`
  return undetermined === 0
    ? nothing
    : `${nothing}; ${counted(undetermined, 'decision')} undetermined, since the log lacks data`
}

const section = <T extends ReplayCount>(
  title: string,
  groups: readonly T[],
  titleOf: (group: T) => string,
): readonly string[] =>
  groups.length === 0
    ? []
    : ['', title, ...groups.flatMap((group) => [`  ${titleOf(group)}`, ...countLines(group)])]

const countLines = ({ count, users, usersCut, examples }: ReplayCount): readonly string[] => [
  `    ${counted(count, 'decision')} about ${usersCut ? 'more than ' : ''}${counted(users, 'user')}`,
  ...examples.map(
    ({ time, id, user, method, host, path }) =>
      `      ${time}  ${id}  ${user}  ${method} ${host}${path}`,
  ),
]

const changeTitle = ({ route, before, after }: ChangeGroup): string =>
  `${placeOf(route)}: ${outcomeText(before)} -> ${outcomeText(after)}`

/** An outcome in a few words. */
export const outcomeText = ({ decision, reason, rule }: Outcome): string => {
  const by = rule === undefined ? '' : ` by ${rule}`
  const usual = reason === 'permitted' || reason === 'rule-denied'
  return usual ? `${decision}${by}` : `${decision} (${reason})${by}`
}

const undeterminedTitle = ({ route, rule, what }: UndeterminedGroup): string => {
  const place = placeOf(route)
  return `${rule === undefined ? place : `${place}, ${rule}`}: ${UNDETERMINED_BECAUSE[what]}`
}

const shadowTitle = ({ route, rule, before, after }: ShadowGroup): string =>
  `${placeOf(route)}, ${rule}: ${before} -> ${after}`

const movedTitle = ({ route, elsewhere }: MovedGroup): string => `${placeOf(route)} -> ${elsewhere}`

const placeOf = (route: string | undefined): string => route ?? 'no route'

// Counts the outcomes of many decisions. What is kept does not grow with the log: groups by rules,
// and of users and examples only so many.

import type { Outcome, RecordedCheck, RecordedDecision } from './recorded-event.ts'
import type { Replayed, ShadowChange, UndeterminedReason } from './replay.ts'

/** The position of a decision, and its request. */
export interface ReplayExample {
  readonly file: string
  readonly line: number
  /** ISO 8601. */
  readonly time: string
  readonly id: string
  readonly user: string
  readonly method: string
  readonly host: string
  readonly path: string
}

/** The number of decisions, their users, and some of them as examples. */
export interface ReplayCount {
  readonly count: number
  /** Different users; at most 1,000 are distinguished, and `usersCut` says that there are more. */
  readonly users: number
  readonly usersCut: boolean
  readonly examples: readonly ReplayExample[]
}

/** Decisions that changed alike. */
export interface ChangeGroup extends ReplayCount {
  /** The route that decides now; absent where none does. */
  readonly route: string | undefined
  readonly before: Outcome
  readonly after: Outcome
}

/** Decisions that are undetermined, for one reason. */
export interface UndeterminedGroup extends ReplayCount {
  readonly what: UndeterminedReason
  readonly route: string | undefined
  readonly rule: string | undefined
}

/** The changed decisions of a rule in shadow. */
export interface ShadowGroup extends ReplayCount, ShadowChange {
  readonly route: string | undefined
}

/** Decisions that another route would decide by host and path than by the name in the log. */
export interface MovedGroup extends ReplayCount {
  readonly route: string | undefined
  readonly elsewhere: string
}

// Names in a log could be anything; those of one configuration are some hundreds.
const MAX_GROUPS = 1_000
const MAX_USERS = 1_000

/** Counts. */
export class ReplaySummary {
  same = 0
  /** Also those in none of the groups, of which there are only so many. */
  changed = 0
  undetermined = 0
  readonly #most: number
  readonly #changes = new Map<string, Tally<Omit<ChangeGroup, keyof ReplayCount>>>()
  readonly #undetermined = new Map<string, Tally<Omit<UndeterminedGroup, keyof ReplayCount>>>()
  readonly #shadows = new Map<string, Tally<Omit<ShadowGroup, keyof ReplayCount>>>()
  readonly #moved = new Map<string, Tally<Omit<MovedGroup, keyof ReplayCount>>>()

  /** @param examples how many are kept of each group */
  constructor(examples: number) {
    this.#most = examples
  }

  /** Counts one. */
  add(asked: RecordedCheck, replayed: Replayed, example: ReplayExample): void {
    const { route, elsewhere } = replayed
    const count = <T extends object>(groups: Map<string, Tally<T>>, group: T): void => {
      const key = JSON.stringify(group)
      const tally = groups.get(key) ?? new Tally(group)
      if (groups.size < MAX_GROUPS) groups.set(key, tally)
      tally.add(example, this.#most)
    }
    if (elsewhere !== undefined) count(this.#moved, { route, elsewhere })
    if (replayed.outcome === 'undetermined') {
      const { what, rule } = replayed
      this.undetermined += 1
      count(this.#undetermined, { what, route, rule })
      return
    }
    for (const change of replayed.shadows) count(this.#shadows, { route, ...change })
    if (replayed.outcome === 'same') {
      this.same += 1
      return
    }
    this.changed += 1
    count(this.#changes, { route, before: asked.outcome, after: replayed.after })
  }

  /** First what is newly allowed, then what is newly refused; the greatest first. */
  get changes(): readonly ChangeGroup[] {
    return listed(this.#changes).toSorted(
      (one, other) => weightOf(one) - weightOf(other) || other.count - one.count,
    )
  }

  /** The greatest first, as in the other tables. */
  get undeterminedGroups(): readonly UndeterminedGroup[] {
    return greatestFirst(listed(this.#undetermined))
  }

  get shadows(): readonly ShadowGroup[] {
    return greatestFirst(listed(this.#shadows))
  }

  get moved(): readonly MovedGroup[] {
    return greatestFirst(listed(this.#moved))
  }
}

/** An example of a request. */
export const exampleOf = (
  { id, at }: RecordedDecision,
  { identity: { user }, method, host, path }: RecordedCheck,
  file: string,
  line: number,
): ReplayExample => ({
  file,
  line,
  time: new Date(at).toISOString(),
  id,
  user,
  method,
  host,
  path,
})

class Tally<T extends object> {
  readonly #group: T
  readonly #users = new Set<string>()
  readonly #examples: ReplayExample[] = []
  #usersCut = false
  #count = 0

  constructor(group: T) {
    this.#group = group
  }

  add(example: ReplayExample, most: number): void {
    this.#count += 1
    if (this.#examples.length < most) this.#examples.push(example)
    if (this.#users.has(example.user)) return
    if (this.#users.size < MAX_USERS) this.#users.add(example.user)
    else this.#usersCut = true
  }

  get(): T & ReplayCount {
    return {
      ...this.#group,
      count: this.#count,
      users: this.#users.size,
      usersCut: this.#usersCut,
      examples: this.#examples,
    }
  }
}

const listed = <T extends object>(
  groups: ReadonlyMap<string, Tally<T>>,
): readonly (T & ReplayCount)[] => [...groups.values()].map((tally) => tally.get())

const greatestFirst = <T extends ReplayCount>(groups: readonly T[]): readonly T[] =>
  groups.toSorted((one, other) => other.count - one.count)

const weightOf = ({ before, after }: ChangeGroup): number => {
  if (before.decision === after.decision) return 2
  return after.decision === 'allow' ? 0 : 1
}

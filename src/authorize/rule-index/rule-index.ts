// Finds the rules that could match a question without trying every one: per value that rules look
// for, which rules those are, and what is left when everything about the question was looked up is
// tried.

import type { Identity } from '../../identity/identity.ts'
import { DIMENSIONS, type Dimension, type Matcher } from '../matcher.ts'
import type { Question } from '../question.ts'
import { Derived } from '../../runtime/derived.ts'
import { loosePathOf } from '../../request/loose-path.ts'
import { PathTree } from './path-tree.ts'
import { intersect, mark, positionsIn, RowSet, unmark, wordsFor, type Row } from './rows.ts'

/** What of a rule the index goes by. */
interface Indexable {
  readonly matchers: readonly Pick<Matcher, 'indexed' | 'key' | 'test'>[]
}

// So few are tried one by one: to look up which to try takes 0.4 µs, and to try one 0.02.
const FEW = 16

/** The rules of a policy, by what they look for. */
export class RuleIndex<R extends Indexable> {
  readonly #rules: readonly R[]
  readonly #all: Row
  readonly #tables: readonly Table[]
  readonly #identityTables: readonly Table[]
  /** The rules whose patterns of users or groups no table has, since they can begin with anything. */
  readonly #patterned: readonly number[]
  // The same caller comes by again and again, and may be in hundreds of groups.
  readonly #ofIdentity = new Derived<Identity, Row>()

  private constructor(rules: readonly R[], tables: readonly Table[]) {
    this.#rules = rules
    this.#all = new Uint32Array(wordsFor(rules.length))
    for (const position of rules.keys()) mark(this.#all, position)
    this.#tables = tables.filter(({ dimension }) => !OF_IDENTITY.has(dimension))
    this.#identityTables = tables.filter(({ dimension }) => OF_IDENTITY.has(dimension))
    this.#patterned =
      rules.length > FEW
        ? [...rules.keys()].filter((position) => rules[position]?.matchers.some(isPatterned))
        : []
  }

  /** Builds the index, and yields between the steps. */
  static *building<R extends Indexable>(rules: readonly R[]): Generator<void, RuleIndex<R>> {
    const tables: Table[] = []
    for (const dimension of rules.length > FEW ? DIMENSIONS : []) {
      const table = yield* tableOf(dimension, rules)
      if (table !== undefined) tables.push(table)
      yield
    }
    return new RuleIndex(rules, tables)
  }

  /** The rules that could match, in order. Every rule that does match is among them. */
  candidates(question: Question): Iterable<R> {
    if (this.#tables.length === 0 && !this.#goesByIdentity) return this.#rules
    const row = this.#rowOf(question).slice()
    for (const { narrow } of this.#tables) narrow(row, question)
    return this.#at(row)
  }

  *#at(row: Row): Generator<R, void> {
    for (const position of positionsIn(row)) {
      const rule = this.#rules[position]
      if (rule !== undefined) yield rule
    }
  }

  get #goesByIdentity(): boolean {
    return this.#identityTables.length > 0 || this.#patterned.length > 0
  }

  #rowOf(question: Question): Row {
    if (!this.#goesByIdentity) return this.#all
    const known = this.#ofIdentity.get(question.identity)
    if (known !== undefined) return known
    const row = this.#all.slice()
    for (const { narrow } of this.#identityTables) narrow(row, question)
    for (const position of this.#patterned) {
      const misses = this.#rules[position]?.matchers.some(
        (matcher) => isPatterned(matcher) && matcher.test(question) === false,
      )
      if (misses === true) unmark(row, position)
    }
    this.#ofIdentity.set(question.identity, row)
    return row
  }
}

// They depend on the identity alone.
const OF_IDENTITY: ReadonlySet<Dimension> = new Set(['user', 'group', 'authenticator'])

/** Whether it depends on the identity alone, and matches by patterns, which no table can hold. */
const isPatterned = ({ key, indexed }: Pick<Matcher, 'indexed' | 'key'>): boolean =>
  indexed === undefined && (key === 'users' || key === 'groups')

/** What rules look for in one dimension. */
interface Table {
  readonly dimension: Dimension
  /** Leaves of the rules in `row` those that may match as far as this dimension goes. */
  readonly narrow: (row: Row, question: Question) => void
}

function* tableOf(
  dimension: Dimension,
  rules: readonly Indexable[],
): Generator<void, Table | undefined> {
  const others = new Uint32Array(wordsFor(rules.length))
  const entries: Entry[] = []
  for (const [position, { matchers }] of rules.entries()) {
    const values = valuesIn(dimension, matchers)
    if (values === undefined) mark(others, position)
    else entries.push({ position, values })
  }
  if (entries.length === 0) return undefined
  yield
  if (dimension === 'path') return { dimension, narrow: yield* byPath(entries, others) }
  return { dimension, narrow: yield* byValue(dimension, entries, others) }
}

/** What a rule looks for in the dimension; of several matchers, by the one that takes the fewest. */
const valuesIn = (
  dimension: Dimension,
  matchers: Indexable['matchers'],
): readonly string[] | undefined => {
  let fewest: readonly string[] | undefined
  for (const { indexed } of matchers) {
    if (indexed?.dimension !== dimension) continue
    if (fewest === undefined || indexed.values.length < fewest.length) fewest = indexed.values
  }
  return fewest
}

/** A rule, and the values that it looks for. */
interface Entry {
  readonly position: number
  readonly values: readonly string[]
}

function* byValue(
  dimension: Exclude<Dimension, 'path'>,
  entries: readonly Entry[],
  others: Row,
): Generator<void, Table['narrow']> {
  const positions = new Map<string, number[]>()
  const lengths = new Set<number>()
  for (const { position, values } of entries) {
    yield
    for (const value of new Set(values)) {
      if (value.endsWith('*')) lengths.add(value.length - 1)
      const known = positions.get(value)
      if (known === undefined) positions.set(value, [position])
      else known.push(position)
    }
  }
  const rows = new RowSet(others, positions)
  const beginnings = [...lengths]
  /** The values under which rules about the text are. */
  const valuesOf = (text: string): readonly string[] => [
    text,
    ...beginnings
      .filter((length) => length <= text.length)
      .map((length) => `${text.slice(0, length)}*`),
  ]
  if (dimension === 'group') {
    return (row, { identity: { groups } }) => {
      rows.narrowToAny(row, beginnings.length === 0 ? groups : groups.flatMap(valuesOf))
    }
  }
  const read = READERS[dimension]
  return beginnings.length === 0
    ? (row, question) => rows.narrow(row, read(question))
    : (row, question) => rows.narrowToAny(row, valuesOf(read(question)))
}

function* byPath(entries: readonly Entry[], others: Row): Generator<void, Table['narrow']> {
  const tree = new PathTree()
  for (const { position, values } of entries) {
    yield
    for (const glob of values) tree.add(glob, position)
  }
  return (row, { request }) => {
    const matches = others.slice()
    tree.markMatches(request.path, matches)
    const loose = loosePathOf(request)
    if (loose !== request.path) tree.markMatches(loose, matches)
    intersect(row, matches)
  }
}

// What a question has none of is found under a text that no rule can look for.
const NOTHING = '\0'

const READERS: Readonly<
  Record<Exclude<Dimension, 'path' | 'group'>, (question: Question) => string>
> = {
  operation: ({ operation }) => operation?.operation.id ?? NOTHING,
  resource: ({ kubernetes }) => kubernetes?.resource ?? NOTHING,
  verb: ({ kubernetes }) => kubernetes?.verb ?? NOTHING,
  namespace: ({ kubernetes }) => kubernetes?.namespace ?? NOTHING,
  apiGroup: ({ kubernetes }) => kubernetes?.apiGroup ?? NOTHING,
  method: ({ request }) => request.method,
  host: ({ request }) => request.host,
  user: ({ identity }) => identity.user,
  authenticator: ({ identity }) => identity.authenticator,
}

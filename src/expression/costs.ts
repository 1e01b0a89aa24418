// What functions and operators of expressions cost, by the length of their values. The numbers are units
// of budget.ts, of about 20 ns, and were measured with the values that take longest.

import { MOST_COST } from './budget.ts'

/** What a call costs: by its receiver, where it has one, else the first argument; the next; how many. */
export type Cost = (first: unknown, second: unknown, count: number) => number

/** Characters that are compared or copied. */
const COPIED = 1 / 64
/** Characters that are read. */
const SCANNED = 1 / 8
/** Characters of which each becomes a value of its own. */
const SPLIT = 1 / 2
const REVERSED = 3
/** An element of a list or map. */
const ELEMENT = 1 / 2
/** An element that a text is compared with. */
const COMPARED = 1 / 4
/** In the worst case each character of the one text meets each of the other. */
const MET = 1 / 128
/** The time in another time zone: Node formats it and reads the text again, 150 µs. */
const TIME_ZONE = 6_000

const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0)

const costOfSearch: Cost = (text, wanted) => lengthOf(text) * (SCANNED + lengthOf(wanted) * MET)

const costOfSearchOfCharacters: Cost = (text, wanted, count) =>
  costOfSearch(text, wanted, count) + lengthOf(text) * SPLIT

/** A value with everything in it; not much more than there may be in all. */
const depthOf = (value: unknown, perCharacter: number): number => {
  if (typeof value === 'string') return value.length * perCharacter
  if (typeof value !== 'object' || value === null) return 0
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let cost = members.length * ELEMENT
  for (const member of members) {
    cost += depthOf(member, perCharacter)
    if (cost > MOST_COST) break
  }
  return cost
}

const costOfComparison: Cost = (one, other) => depthOf(one, COPIED) + depthOf(other, COPIED)

/** In a map the key is looked up; a list is compared from the first to the last element. */
const costOfIn: Cost = (one, all) => {
  if (!Array.isArray(all)) return 0
  const members: readonly unknown[] = all
  if (typeof one !== 'string') return depthOf(one, COPIED) + depthOf(all, COPIED)
  // Texts of other lengths are not looked into.
  const alike = members.filter((member) => lengthOf(member) === one.length).length
  return members.length * COMPARED + alike * one.length * COPIED
}

const costOfSum: Cost = (one, other) => shallow(one) + shallow(other)
const shallow = (value: unknown): number =>
  Array.isArray(value) ? value.length * ELEMENT : lengthOf(value) * COPIED

const perCharacter =
  (cost: number): Cost =>
  (text) =>
    lengthOf(text) * cost

const costOfTime: Cost = (_time, _zone, count) => (count > 1 ? TIME_ZONE : 0)

const FREE: Cost = () => 0

/**
 * A regular expression that is not a literal of the expression: to compile one takes 2 to 20 µs for each of
 * its characters, times what it has in `{}`.
 */
export const costOfPattern = (pattern: unknown): number => {
  let cost = lengthOf(pattern) * COMPILED
  if (typeof pattern !== 'string') return cost
  for (const [, least, most = least] of pattern.matchAll(/\{(\d+)(?:,(\d+))?/g)) {
    cost *= Math.max(1, Number(most))
  }
  return cost
}
const COMPILED = 100

/** By the name of a function or operator. */
const COSTS: ReadonlyMap<string, Cost> = new Map([
  ['==', costOfComparison],
  ['!=', costOfComparison],
  ['in', costOfIn],
  ['+', costOfSum],
  ['size', perCharacter(SCANNED * 2)],
  ['startsWith', FREE],
  ['endsWith', FREE],
  ['contains', costOfSearch],
  ['indexOfText', costOfSearchOfCharacters],
  ['lastIndexOfText', costOfSearchOfCharacters],
  ['substringOfText', perCharacter(SPLIT)],
  ['charAt', perCharacter(SPLIT)],
  ['replace', costOfSearch],
  [
    'splitText',
    (text, separator, count) => costOfSearch(text, separator, count) + lengthOf(text) * SPLIT,
  ],
  [
    'join',
    (list, separator) =>
      depthOf(list, SCANNED * 2) +
      (Array.isArray(list) ? list.length * lengthOf(separator) * SCANNED : 0),
  ],
  // What they cost depends on the pattern.
  ['matchesRe2', FREE],
  ['find', FREE],
  ['extract', FREE],
  ['reverse', perCharacter(REVERSED)],
  ['json', perCharacter(SPLIT)],
  ...[
    'getDate',
    'getDayOfMonth',
    'getDayOfWeek',
    'getDayOfYear',
    'getFullYear',
    'getHours',
    'getMilliseconds',
    'getMinutes',
    'getMonth',
    'getSeconds',
  ].map((name) => [name, costOfTime] as const),
])

/** What a function or operator costs: where nothing else is known, it goes through its texts. */
export const costOf = (name: string): Cost =>
  COSTS.get(name) ?? ((first, second) => (lengthOf(first) + lengthOf(second)) * SCANNED)

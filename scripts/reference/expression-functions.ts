// The functions of expressions, with examples and their results. A test evaluates each example, and compares the
// names with those of the environment.

import type { JsonValue } from '../../src/expression/json-value.ts'

/** A function or macro. */
export interface FunctionText {
  readonly meaning: string
  /** Expressions and what they yield; without a result: nothing, the value is absent. */
  readonly examples: readonly (readonly [source: string, result?: JsonValue])[]
}

type Functions = Readonly<Record<string, FunctionText>>

const LISTS: Functions = {
  size: {
    meaning: 'The number of characters, entries or bytes. Also as a method.',
    examples: [
      ['size(["a", "b"])', 2],
      ['"alice".size()', 5],
    ],
  },
  all: {
    meaning: 'Whether a condition holds for every entry.',
    examples: [['["a1", "a2"].all(g, g.startsWith("a"))', true]],
  },
  exists: {
    meaning: 'Whether a condition holds for at least one entry.',
    examples: [['["dev", "ops"].exists(g, g == "ops")', true]],
  },
  exists_one: {
    meaning: 'Whether a condition holds for exactly one entry.',
    examples: [['["dev", "ops"].exists_one(g, g == "ops")', true]],
  },
  filter: {
    meaning: 'The entries for which a condition holds.',
    examples: [['["dev", "team-a"].filter(g, g.startsWith("team-"))', ['team-a']]],
  },
  map: {
    meaning:
      'The results of an expression for each entry, or for those for which a condition holds.',
    examples: [
      ['["dev", "ops"].map(g, "corp:" + g)', ['corp:dev', 'corp:ops']],
      ['["dev", "ops"].map(g, g != "ops", g.upperAscii())', ['DEV']],
    ],
  },
  join: {
    meaning: 'The texts of a list as one, with a separator.',
    examples: [['["dev", "ops"].join(",")', 'dev,ops']],
  },
}

const TEXTS: Functions = {
  startsWith: {
    meaning: 'Whether the text begins with another.',
    examples: [['"team-a".startsWith("team-")', true]],
  },
  endsWith: {
    meaning: 'Whether the text ends with another.',
    examples: [['"alice@example.org".endsWith("@example.org")', true]],
  },
  contains: {
    meaning: 'Whether the text contains another.',
    examples: [['"application/json".contains("json")', true]],
  },
  matches: {
    meaning:
      'Whether a regular expression (RE2) matches a part of the text; `^` and `$` bind it to the whole.',
    examples: [['"alice@example.org".matches("^[a-z]+@example[.]org$")', true]],
  },
  find: {
    meaning: 'The first match of a regular expression (RE2), or the empty text. As in Kubernetes.',
    examples: [['"build-417".find("[0-9]+")', '417']],
  },
  extract: {
    meaning:
      'The group of the first match of a regular expression (RE2), or the match where there is no group; optional. As in cel-go.',
    examples: [
      ['regex.extract("CN=alice,O=dev", "CN=([^,]+)").orValue("")', 'alice'],
      ['regex.extract("alice", "[0-9]+")'],
    ],
  },
  replace: {
    meaning: 'The text with all occurrences replaced, or with the first ones.',
    examples: [
      ['"a.b.c".replace(".", "-")', 'a-b-c'],
      ['"a.b.c".replace(".", "-", 1)', 'a-b.c'],
    ],
  },
  split: {
    meaning: 'The parts between separators; at most as many as the second argument says.',
    examples: [
      ['"alice@example.org".split("@")', ['alice', 'example.org']],
      ['"a/b/c".split("/", 2)', ['a', 'b/c']],
    ],
  },
  substring: {
    meaning: 'A part, by the positions of its begin and its end.',
    examples: [
      ['"CORP\\\\alice".substring(5)', 'alice'],
      ['"alice".substring(0, 2)', 'al'],
    ],
  },
  indexOf: {
    meaning: 'The position of the first occurrence, or -1; optionally from a position on.',
    examples: [
      ['"a.b.c".indexOf(".")', 1],
      ['"a.b.c".indexOf(".", 2)', 3],
    ],
  },
  lastIndexOf: {
    meaning: 'The position of the last occurrence, or -1.',
    examples: [['"a.b.c".lastIndexOf(".")', 3]],
  },
  charAt: {
    meaning: 'The character at a position.',
    examples: [['"alice".charAt(0)', 'a']],
  },
  lowerAscii: {
    meaning: 'The text with A to Z in lower case. Other letters stay as they are.',
    examples: [['"ALICE".lowerAscii()', 'alice']],
  },
  upperAscii: {
    meaning: 'The text with a to z in upper case. Other letters stay as they are.',
    examples: [['"alice".upperAscii()', 'ALICE']],
  },
  trim: {
    meaning: 'The text without blanks at its ends.',
    examples: [['" alice ".trim()', 'alice']],
  },
  reverse: {
    meaning: 'The text backwards.',
    examples: [['"abc".reverse()', 'cba']],
  },
}

const ABSENT: Functions = {
  has: {
    meaning: 'Whether a field or key is present. In these examples `claims` is `{"team": "blue"}`.',
    examples: [['has(claims.team)', true]],
  },
  of: {
    meaning: 'An optional value that is present.',
    examples: [['optional.of("a").hasValue()', true]],
  },
  none: {
    meaning: 'An optional value that is absent.',
    examples: [['optional.none().hasValue()', false]],
  },
  hasValue: {
    meaning: 'Whether an optional value is present.',
    examples: [['claims.?team.hasValue()', true]],
  },
  value: {
    meaning: 'An optional value; the expression fails where it is absent.',
    examples: [['claims.?team.value()', 'blue']],
  },
  orValue: {
    meaning: 'An optional value, or another one where it is absent.',
    examples: [['claims.?unit.orValue("none")', 'none']],
  },
  or: {
    meaning: 'The first of two optional values that is present.',
    examples: [['claims.?unit.or(claims.?team)', 'blue']],
  },
}

const TIMES: Functions = {
  timestamp: {
    meaning: 'An instant, from a text of RFC 3339 or from seconds since 1970.',
    examples: [['timestamp("2026-11-27T10:00:00Z") < timestamp(1800000000)', true]],
  },
  duration: {
    meaning: 'A duration, such as `90s` or `1h30m`.',
    examples: [
      [
        'timestamp("2026-11-27T10:00:00Z") + duration("1h") == timestamp("2026-11-27T11:00:00Z")',
        true,
      ],
    ],
  },
  ...Object.fromEntries(
    (
      [
        ['getFullYear', 'The year.', 2026],
        ['getMonth', 'The month, from 0.', 10],
        ['getDate', 'The day of the month, from 1.', 27],
        ['getDayOfMonth', 'The day of the month, from 0.', 26],
        ['getDayOfWeek', 'The day of the week; 0 is Sunday.', 5],
        ['getDayOfYear', 'The day of the year, from 0.', 330],
        ['getHours', 'The hour, or the whole hours of a duration.', 11],
        ['getMinutes', 'The minute, or the whole minutes of a duration.', 30],
        ['getSeconds', 'The second, or the whole seconds of a duration.', 0],
        ['getMilliseconds', 'The millisecond.', 0],
      ] as const
    ).map(([name, meaning, result]) => [
      name,
      {
        meaning: `${meaning} Of an instant, also in a time zone.`,
        examples: [[`timestamp("2026-11-27T10:30:00Z").${name}("Europe/Berlin")`, result]],
      } satisfies FunctionText,
    ]),
  ),
}

const TYPES: Functions = {
  string: { meaning: 'As a text.', examples: [['string(42)', '42']] },
  int: { meaning: 'As an integer.', examples: [['int("42")', 42]] },
  uint: { meaning: 'As an unsigned integer.', examples: [['uint("42") == 42u', true]] },
  double: { meaning: 'As a floating-point number.', examples: [['double("1.5")', 1.5]] },
  bool: { meaning: 'As a truth value.', examples: [['bool("true")', true]] },
  bytes: { meaning: 'As bytes (UTF-8).', examples: [['bytes("é").size()', 2]] },
  dyn: {
    meaning: 'As a value whose type is known only when it is evaluated.',
    examples: [['dyn(1) == 1', true]],
  },
  type: { meaning: 'The type of a value.', examples: [['type("a") == string', true]] },
  bind: {
    meaning: 'Names a value for the rest of the expression.',
    examples: [['cel.bind(p, "a@b".split("@"), p[1] + "/" + p[0])', 'b/a']],
  },
  hex: { meaning: 'Bytes in hexadecimal.', examples: [['bytes("a").hex()', '61']] },
  base64: { meaning: 'Bytes in base64.', examples: [['bytes("alice").base64()', 'YWxpY2U=']] },
  at: { meaning: 'The byte at a position.', examples: [['bytes("a").at(0)', 97]] },
  json: { meaning: 'JSON, read.', examples: [['bytes("{\\"a\\": 1}").json().a', 1]] },
}

/** The functions by group. */
export const FUNCTION_GROUPS = [
  { title: 'Lists and maps', functions: LISTS },
  { title: 'Texts', functions: TEXTS },
  { title: 'Values that may be absent', functions: ABSENT },
  { title: 'Times', functions: TIMES },
  { title: 'Types and conversions', functions: TYPES },
] as const

/** Operators, which the environment does not list. */
export const OPERATORS: readonly FunctionText[] = [
  {
    meaning: 'Equality.',
    examples: [
      ['"a" == "a"', true],
      ['1 != 2', true],
    ],
  },
  { meaning: 'Comparison.', examples: [['"a" < "b"', true]] },
  {
    meaning: 'And, or, not. A side that fails does not matter where the other decides.',
    examples: [['true || false && !true', true]],
  },
  { meaning: 'A choice.', examples: [['1 > 0 ? "yes" : "no"', 'yes']] },
  {
    meaning: 'Membership in a list, or a key of a map.',
    examples: [['"ops" in ["dev", "ops"]', true]],
  },
  {
    meaning: 'Concatenation of texts and lists; arithmetic.',
    examples: [
      ['["a"] + ["b"]', ['a', 'b']],
      ['7 % 4', 3],
    ],
  },
  {
    meaning: 'An entry of a list, a key of a map.',
    examples: [
      ['["a", "b"][1]', 'b'],
      ['{"k": "v"}["k"]', 'v'],
    ],
  },
  {
    meaning: 'A key that may be absent: the result is optional.',
    examples: [['{"k": "v"}.?k.orValue("")', 'v'], ['{"k": "v"}.?x']],
  },
]

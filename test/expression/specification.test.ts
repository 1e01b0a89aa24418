// Where the CEL library deviates from the specification and this project does not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileValue } from '../../src/expression/cel.ts'

const CLAIMS = { three: 3, half: 0.5, big: 2 ** 63, text: 'a', list: [1, 2], map: { a: 1 } }

/** What an expression yields; `undefined` where its evaluation fails. */
const valueOf = (source: string): unknown => {
  const compiled = compileValue(source, 'claims')
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.message)
  return compiled.expression.evaluate({ claims: CLAIMS })?.value
}

const TABLES: readonly {
  readonly name: string
  readonly cases: Readonly<Record<string, unknown>>
}[] = [
  {
    name: 'trim removes blanks of Unicode and nothing else',
    cases: {
      '"\\ufeffadmin".trim() == "admin"': false,
      '"\\u180eadmin\\u200b".trim() == "admin"': false,
      '"\\u2028 \\u0085\\tadmin\\u00a0\\u3000\\v".trim()': 'admin',
      '" \\n ".trim()': '',
    },
  },
  {
    name: 'positions count characters',
    cases: {
      '"😀a".charAt(1)': 'a',
      '"😀a".charAt(0)': '😀',
      '"😀ab".substring(1)': 'ab',
      '"a😀b".substring(1, 2)': '😀',
      '"a😀b".indexOf("b")': 2,
      '"b😀b".indexOf("b", 1)': 2,
      '"b😀b".lastIndexOf("b")': 2,
      '"b😀b".lastIndexOf("b", 1)': 0,
      '"a😀b".split("")': ['a', '😀', 'b'],
      '"a😀b".split("", 2)': ['a', '😀b'],
      '"😀".replace("", "-")': '-😀-',
      '"abc".indexOf("a", 3)': undefined,
      '"abc".indexOf("", 3)': 3,
      '"abc".substring(2, 1)': undefined,
    },
  },
  {
    name: 'numbers of different types are compared by value',
    cases: {
      'claims.three == 3 && claims.three == 3u && claims.three == 3.0': true,
      'claims.three != 3u': false,
      'claims.three in [2, 3] && claims.three in [3u] && !(claims.half in [0, 1])': true,
      'dyn(3u) in [3] && dyn(3) in [3.0]': true,
      'claims.half < 1 && claims.half > 0u': true,
      '[claims.three] == [3] && claims.list == [1, 2] && claims.map == {"a": 1}': true,
      '[[claims.three]] == [[4]] || claims.map == {"b": 1} || claims.map == {"a": 1, "b": 1}': false,
      '[1.0].exists(x, dyn(x) in [1u])': true,
      'claims.big > 9223372036854775807': false,
      '[0.0 / 0.0] == [0.0 / 0.0] || 0.0 / 0.0 <= 1.0': false,
    },
  },
  {
    name: 'conversions are those of CEL, and integers have 64 bits',
    cases: {
      'int("")': undefined,
      'int("0b11")': undefined,
      'int("-12")': -12,
      'uint("+1")': undefined,
      'double("0x10")': undefined,
      'double("1e3")': 1000,
      'int(1e99)': undefined,
      'int(claims.big)': undefined,
      'int(-3.9)': -3,
      '-(-9223372036854775808)': undefined,
      'string(b"\\xff")': undefined,
      'b"\\xff".string()': undefined,
      'string(b"\\xef\\xbb\\xbfa") == "\\ufeffa"': true,
    },
  },
  {
    name: 'times and durations are exact and in range',
    cases: {
      'duration("320000000000s")': undefined,
      'duration("200000000000s") + duration("200000000000s")': undefined,
      'timestamp("9999-12-31T23:59:59Z") + duration("1s")': undefined,
      'timestamp("2026-01-01T00:00:00Z") + duration("1ns")': undefined,
      'timestamp("9999-12-31T23:59:59Z") - timestamp("0001-01-01T00:00:00Z") == duration("315537897599s")': true,
      'duration("1s") - duration("1ns") == duration("999999999ns")': true,
      'duration("100000000000s1ns") > duration("100000000000s")': true,
    },
  },
  {
    name: 'a field of an optional text is an error and not absent',
    cases: {
      'claims.?text.a.hasValue()': undefined,
      'claims.?map.a.hasValue()': true,
      'claims.?map.b.hasValue()': false,
      'claims.?none.b.hasValue()': false,
    },
  },
]

for (const { name, cases } of TABLES) {
  describe(name, () => {
    for (const [source, want] of Object.entries(cases)) {
      it(source, () => assert.deepEqual(valueOf(source), want))
    }
  })
}

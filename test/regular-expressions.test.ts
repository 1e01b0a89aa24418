// Every regular expression that is matched against requests, tokens, certificates or the answers of servers:
// none takes longer than linear time for any text that an attacker can compose. Expressions of commands that
// operators run over their own files are left out.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { cpuTime } from './fakes/cpu-time.ts'

const SOURCE = resolve(import.meta.dirname, '../src')
const COMMANDS = /^(cli|envoy|proto)\//

// 4,000 characters take some 20 µs in linear time, and 20 ms or more in quadratic time.
const LENGTH = 4_000
const LIMIT_MS = 3

/** What is not linear for every text, and what it meets. */
const BOUNDED: ReadonlyMap<string, string> = new Map([
  ['/=+$/', 'base64 that was written by Node has two at most'],
  ['/\\d+$/', 'a SID that was written by us has ten digits in a row at most'],
  [
    '/([^=,]*)=((?:[^\\\\,+]|\\\\.)*)(?:,|$)/gsy',
    'a deny list, line by line, which is a file of ours',
  ],
])

interface Literal {
  readonly place: string
  readonly text: string
  readonly expression: RegExp
}

/** Where a literal can begin and end; comments have no code. */
const LITERAL =
  /(?<=^|[\s(,=:!&|?[{])\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])*)\/([dgimsuvy]*)(?=[\s.,;)\]}]|$)/g

const literalsIn = (file: string): readonly Literal[] =>
  readFileSync(resolve(SOURCE, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (/^\s*(\/\/|\*|\/\*)/.test(line)) return []
      return [...line.matchAll(LITERAL)].flatMap(([whole, source = '', flags]) => {
        const expression = compiled(source, flags)
        return expression ? [{ place: `src/${file}:${index + 1}`, text: whole, expression }] : []
      })
    })

/** `undefined` for what is a division. */
const compiled = (source: string, flags: string | undefined): RegExp | undefined => {
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}

const PUMPS = [
  ...'aA0 \t-.,;:=\\/%&[{_+<"'.split(''),
  ...'%41 a. a- a= a, \\" "" a="b", :: {a}'.split(' '),
  ', ',
  '; ',
  '\r\n',
]
const ENDS = ['', '\0', '!', '\n', '"', '=']

/** The first characters that are written out, so that the rest of the expression is reached. */
const beginOf = ({ source }: RegExp): string => /^\^?([\w :="'-]+)/.exec(source)?.[1] ?? ''

const timeOf = (expression: RegExp, text: string): number => {
  const start = cpuTime()
  expression.lastIndex = 0
  expression.test(text)
  return cpuTime() - start
}

/** A text for which it takes too long, each time. */
const slowText = (expression: RegExp): string | undefined => {
  const own = [...new Set(expression.source.replaceAll(/\\[a-zA-Z]|[\\^$()[\]{}?*+|.]/g, ''))]
  for (const begin of new Set(['', beginOf(expression)])) {
    for (const pump of new Set([...PUMPS, ...own])) {
      for (const end of ENDS) {
        const text = `${begin}${pump.repeat(LENGTH / pump.length)}${end}`
        const times = (): readonly number[] => [1, 2, 3].map(() => timeOf(expression, text))
        if (timeOf(expression, text) > LIMIT_MS && Math.min(...times()) > LIMIT_MS) {
          return JSON.stringify([begin, pump, end])
        }
      }
    }
  }
  return undefined
}

const LITERALS = globSync('**/*.ts', { cwd: SOURCE })
  .filter((file) => !COMMANDS.test(file))
  .toSorted()
  .flatMap(literalsIn)

describe('the regular expressions of src', () => {
  it('are found in the source', () => {
    assert.ok(LITERALS.length > 300, `${LITERALS.length}`)
  })

  it('take linear time for pumped texts, except the bounded ones', () => {
    const slow = LITERALS.filter(({ text }) => !BOUNDED.has(text)).flatMap((one) => {
      const text = slowText(one.expression)
      return text === undefined ? [] : [`${one.place} ${one.text}: ${text}`]
    })
    assert.deepEqual(slow, [])
  })

  it('include each of the bounded ones', () => {
    const all = new Set(LITERALS.map(({ text }) => text))
    for (const text of BOUNDED.keys()) assert.ok(all.has(text), text)
  })
})

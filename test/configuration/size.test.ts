// A configuration of 10,000 rules: read and compiled without keeping the event loop, on which checks wait meanwhile.
//
// Slow: it reads documents of many thousand lines.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { policyCompilation } from '../../src/authorize/policy.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { ConfigurationError, formatProblem } from '../../src/config/problem.ts'
import { parseConfig, readConfig } from '../../src/configuration/parse.ts'
import { Slices } from '../../src/runtime/slices.ts'
import { longestTurn } from '../fakes/longest-turn.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { linesOf } from '../fakes/lines.ts'

const RULES = 10_000
// At once it takes 100 ms to compile, and 600 ms to read. A turn is 4 ms and the garbage collection that falls into it.
const LONGEST_MS = 90

const HEAD = `version: 1
listen: { authz: { address: 127.0.0.1:0 } }
authenticators: { visitors: { anonymous: { user: visitor } } }
routes:
`

const route = (name: string, rules: string): string =>
  `  - name: ${name}\n    match: { hosts: [${name}.example.org] }\n    authenticate: [visitors]\n    authorize:\n${rules}`

const rule = (index: number): string =>
  index % 10 === 0
    ? `{ deny: r${index}, when: 'identity.groups.exists(g, g == "x${index}")', paths: [/api/${index}] }`
    : `{ allow: r${index}, groups: [g${index % 200}], methods: [GET], paths: ['/api/${index}/**'] }`

const rules = (count: number, of = rule): string =>
  linesOf(count, (index) => `      - ${of(index)}`)

const list = (name: string, count: number, of = rule): string =>
  `      - list: ${name}\n        rules:\n${linesOf(count, (index) => `          - ${of(index)}`)}`

const bad = (index: number): string =>
  index % 97 === 96 ? `{ allow: r${index}, verb: [get] }` : rule(index)

const CASES: Readonly<Record<string, string>> = {
  'one route of many rules': HEAD + route('app', rules(1_000)),
  'many routes': HEAD + linesOf(300, (index) => route(`app${index}`, rules(2))),
  'many routes of many rules': HEAD + linesOf(20, (index) => route(`app${index}`, rules(40))),
  'a long list':
    HEAD + route('app', rules(20, (index) => `{ allow: first${index} }`) + list('all', 700)),
  'many long lists':
    HEAD +
    route(
      'app',
      linesOf(20, (index) => list(`l${index}`, 40, (at) => `{ allow: r${index}-${at} }`)),
    ),
  'many rules with unknown keys': HEAD + route('app', rules(1_000, bad)),
  'a long list with unknown keys': HEAD + route('app', list('all', 700, bad)),
  'many rules of one name':
    HEAD +
    route(
      'app',
      rules(700, (index) => `{ allow: r${index % 699} }`),
    ),
  'a long list of no name':
    HEAD + route('app', list('all', 700).replace('list: all', 'shadow: true')),
  'many routes without rules':
    HEAD + linesOf(300, (index) => `  - name: app${index}\n    authenticate: [visitors]`),
  'many routes of one name': HEAD + linesOf(300, () => route('app', rules(1))),
  'many rules, and nothing else': `routes:\n${route('app', rules(1_000))}`,
}

const problemsOf = (cause: unknown): readonly string[] => {
  assert.ok(cause instanceof ConfigurationError, String(cause))
  return cause.problems.map(formatProblem).toSorted()
}

describe('a long configuration', () => {
  for (const [name, text] of Object.entries(CASES)) {
    it(`is what it is when it is parsed at once: ${name}`, async () => {
      await using folder = await temporaryFolder()
      const file = folder.file('countersign.yaml')
      await writeFile(file, text)
      const want = parseConfig(file, text)
      if (want.ok) {
        const { config } = await readConfig(file, new ConfigurationFiles())
        assert.deepStrictEqual(config, want.config)
        return
      }
      await assert.rejects(readConfig(file, new ConfigurationFiles()), (cause) => {
        assert.deepEqual(problemsOf(cause), want.problems.map(formatProblem).toSorted())
        return true
      })
    })
  }
})

describe(`a configuration of ${RULES} rules`, () => {
  for (const [shape, text] of Object.entries({
    'in one route': HEAD + route('app', rules(RULES)),
    'in a list': HEAD + route('app', list('all', RULES)),
    'in a thousand routes': HEAD + linesOf(RULES / 10, (index) => route(`app${index}`, rules(10))),
  })) {
    it(`is read and compiled in short turns: ${shape}`, async () => {
      await using folder = await temporaryFolder()
      const file = folder.file('countersign.yaml')
      await writeFile(file, text)
      const read = await longestTurn(() => readConfig(file, new ConfigurationFiles()))
      assert.ok(read.longest < LONGEST_MS, `read: ${read.longest} ms`)
      const authorize = read.result.config.routes[0]?.authorize ?? []
      const report = (): never => assert.fail('a problem')
      const compiled = await longestTurn(() =>
        new Slices().run(policyCompilation(authorize, { kind: 'http', report })),
      )
      assert.ok(compiled.longest < LONGEST_MS, `compiled: ${compiled.longest} ms`)
    })
  }
})

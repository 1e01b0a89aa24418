// `npm test`: everything that must hold, cheapest first; node's own test summary comes last.

import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { run } from './run.ts'

// Files that assert how long something takes, where CPU time would not tell it. They run before the others,
// one at a time.
const MEASURING: readonly string[] = [
  'test/authenticate/password/ldap/timing.test.ts',
  'test/authenticate/password/timing.test.ts',
  'test/authz-reload-rules.test.ts',
]

const tests = globSync('test/**/*.test.ts').toSorted()
const others = tests.filter((file) => !MEASURING.includes(file))
// Most tests wait for servers most of the time. Node's default would be one file at a time on two cores.
const concurrency = Math.max(2, availableParallelism())

const STEPS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint', command: 'oxlint', args: ['--deny-warnings'] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'unused code', command: 'knip', args: [] },
  {
    name: 'tests that measure',
    command: process.execPath,
    args: ['--test', '--test-concurrency=1', ...MEASURING],
  },
  {
    name: 'tests',
    command: process.execPath,
    args: ['--test', `--test-concurrency=${concurrency}`, ...others],
  },
] as const

for (const { name, command, args } of STEPS) {
  console.log(`\n— ${name}`)
  const status = await run(command, args)
  if (status !== 0) {
    console.error(`\n${name} failed`)
    process.exit(status)
  }
}

// `npm test`: everything that must hold, cheapest first; node's own test summary comes last.

import { run } from './run.ts'

const STEPS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint', command: 'oxlint', args: ['--deny-warnings'] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'unused code', command: 'knip', args: [] },
  { name: 'tests', command: process.execPath, args: ['--test', 'test/**/*.test.ts'] },
] as const

for (const { name, command, args } of STEPS) {
  console.log(`\n— ${name}`)
  // oxlint-disable-next-line no-await-in-loop -- the first failure is the one to look at
  const status = await run(command, args)
  if (status !== 0) {
    console.error(`\n${name} failed`)
    process.exit(status)
  }
}

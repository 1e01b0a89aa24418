// `npm test`: everything that must hold, cheapest first; the sum of the tests comes last.

import { findTestFiles } from './tests/files.ts'
import { runTestFiles } from './tests/run.ts'
import { run } from './run.ts'

const CHECKS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint', command: 'oxlint', args: ['--deny-warnings'] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'unused code', command: 'knip', args: [] },
] as const

for (const { name, command, args } of CHECKS) {
  console.log(`\n— ${name}`)
  const status = await run(command, args)
  if (status !== 0) {
    console.error(`\n${name} failed`)
    process.exit(status)
  }
}

console.log('\n— tests')
process.exitCode = (await runTestFiles(findTestFiles())) ? 0 : 1

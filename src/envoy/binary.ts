// Where the Envoy program is.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { findProgram } from '../runtime/child.ts'
import { CountersignError } from '../runtime/errors.ts'

/** The release that Countersign is tested with and that `npm run setup` fetches. */
const ENVOY_VERSION = '1.40.0'

const packageFolder = resolve(import.meta.dirname, '../..')

/**
 * The Envoy to run: the given one, `ENVOY_BIN`, the one on PATH, or the one that set-up downloaded.
 *
 * @throws CountersignError `envoy-missing`
 */
export const findEnvoy = (asked?: string): string => {
  const given = asked ?? process.env['ENVOY_BIN']
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return resolve(given)
    throw new CountersignError('envoy-missing', `there is no Envoy at ${given}`)
  }
  const cache = process.env['COUNTERSIGN_CACHE'] ?? resolve(packageFolder, '.cache')
  const fetched = resolve(cache, 'envoy', ENVOY_VERSION, 'envoy')
  const found = findProgram('envoy') ?? (existsSync(fetched) ? fetched : undefined)
  if (found !== undefined) return found
  throw new CountersignError(
    'envoy-missing',
    'no Envoy found: name one with --envoy or ENVOY_BIN, put it on PATH, or run "npm run setup"',
  )
}

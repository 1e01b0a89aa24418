// Where the Envoy program is.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { findProgram } from '../runtime/child.ts'
import { CountersignError } from '../runtime/errors.ts'
import { cloneFolder } from '../runtime/installation.ts'

/** The release that Countersign is tested with and that `npm run setup` fetches. */
const ENVOY_VERSION = '1.40.0'

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
  const found = findProgram('envoy') ?? downloadedEnvoy()
  if (found !== undefined) return found
  throw new CountersignError('envoy-missing', `no Envoy found: ${remedy}`)
}

const remedy =
  cloneFolder === undefined
    ? `install Envoy ≥ ${ENVOY_VERSION} (https://www.envoyproxy.io/docs/envoy/latest/start/install), and put it on PATH or name it with --envoy or ENVOY_BIN`
    : 'name one with --envoy or ENVOY_BIN, put it on PATH, or run "npm run setup"'

/** What `npm run setup` downloaded to the clone or to `COUNTERSIGN_CACHE`. */
const downloadedEnvoy = (): string | undefined => {
  const cache =
    process.env['COUNTERSIGN_CACHE'] ??
    (cloneFolder === undefined ? undefined : resolve(cloneFolder, '.cache'))
  if (cache === undefined) return undefined
  const file = resolve(cache, 'envoy', ENVOY_VERSION, 'envoy')
  return existsSync(file) ? file : undefined
}

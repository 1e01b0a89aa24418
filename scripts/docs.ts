// The site of docs/, by its own packages, which nothing else needs: `docs.ts` serves it, `docs.ts build` builds it.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from './run.ts'

const SITE = resolve(import.meta.dirname, '../site')

/** Installs the packages of the site, unless those of its lock file are there. */
const install = async (): Promise<number> => {
  const lock = createHash('sha256')
    .update(readFileSync(join(SITE, 'package-lock.json')))
    .digest('hex')
  const stamp = join(SITE, 'node_modules/.countersign-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return 0
  const status = await run('npm', ['ci', '--prefix', SITE, '--loglevel=error'])
  if (status === 0) writeFileSync(stamp, lock)
  return status
}

const [verb = 'dev', ...options] = process.argv.slice(2)
const installed = await install()
process.exitCode =
  installed === 0
    ? await run(join(SITE, 'node_modules/.bin/vitepress'), [verb, SITE, ...options])
    : installed

// The Python client of Kubernetes, which programs of tests run with.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const FOLDER = join(CACHE, 'kube-python', '37.0.2')

const MISSING = `no Python client of Kubernetes in ${FOLDER}: "sh scripts/kubernetes-python.sh" installs it`

/**
 * For `skip` of node:test: the reason to skip tests that need the Python client, or `false` where there
 * is one. Throws where `CI` is `true`: there a missing one is a fault and not a reason.
 */
export const skipWithoutPythonClient = (): string | false => {
  if (existsSync(FOLDER)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

const LIMIT = 240_000

/**
 * Runs a program that imports `kubernetes` to its end; gives what it printed, and throws with what it
 * complained of.
 *
 * @param environment what it has in addition to a PATH, and hands on to credential plugins
 */
export const python = async (
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<string> => {
  const child = spawn('python3', [program, ...args], {
    env: { PATH: process.env['PATH'], PYTHONPATH: FOLDER, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
  })
  const closed = once(child, 'close')
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  if (child.exitCode === 0) return output
  throw new Error(`${program} ended with ${child.exitCode}:\n${complaint}`)
}

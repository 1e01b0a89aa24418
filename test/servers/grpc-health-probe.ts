// grpc_health_probe, as `scripts/grpc-health-probe.sh` has built it.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { targetOf, type ListenAddress } from '../../src/runtime/listen.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const PROBE = join(CACHE, 'grpc-health-probe', 'v0.4.62', 'grpc_health_probe')

/**
 * For `skip` of node:test: the reason to skip tests that need the probe, or `false` where there is one. Throws where
 * `CI` is `true`: there it is a fault that it is missing.
 */
export const skipWithoutHealthProbe = (): string | false => {
  if (existsSync(PROBE)) return false
  const missing = `no ${PROBE}: "sh scripts/grpc-health-probe.sh" builds it`
  if (process.env['CI'] === 'true') throw new Error(missing)
  return missing
}

/** Its exit status, and all that it has written. */
export interface Probed {
  readonly code: number
  readonly output: string
}

const PATIENCE = ['-connect-timeout', '10s', '-rpc-timeout', '10s']

/** Asks a server for its health. */
export const probeHealth = async (
  address: ListenAddress,
  ...args: readonly string[]
): Promise<Probed> => {
  const { promise, resolve: settle } = Promise.withResolvers<Probed>()
  const child = execFile(
    PROBE,
    ['-addr', targetOf(address), ...PATIENCE, ...args],
    (_error, stdout, stderr) =>
      settle({ code: child.exitCode ?? -1, output: `${stdout}${stderr}`.trim() }),
  )
  return await promise
}

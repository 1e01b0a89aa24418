// The real definitions of resources (CRDs) of cert-manager and the Prometheus Operator, for a real API server.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Cluster } from './cluster.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const FOLDER = join(CACHE, 'crds', '1.21.2-0.85.0')

/** The one that was added last: an older folder lacks it. */
const NEWEST = join(FOLDER, 'monitoring.coreos.com_prometheusrules.yaml')

const MISSING = `no ${NEWEST}: "sh scripts/kubernetes-crds.sh" fetches it`

/**
 * For `skip` of node:test: the reason to skip tests that need the definitions, or `false` where they are there.
 * Throws where `CI` is `true`: there missing ones are a fault and not a reason.
 */
export const skipWithoutDefinitions = (): string | false => {
  if (existsSync(NEWEST)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** Makes the API server serve and validate these resources. */
export const addDefinitions = async (cluster: Cluster): Promise<void> => {
  const commands = [
    ['apply', '--server-side', `--filename=${FOLDER}`],
    ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'],
  ]
  for (const command of commands) {
    const { code, complaint } = await cluster.kubectl(command)
    if (code !== 0) throw new Error(complaint)
  }
}

// The real Helm, as scripts/helm.sh builds it, and the objects that it renders from the chart.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'

const ROOT = resolve(import.meta.dirname, '..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')

/** The program. */
export const HELM = join(CACHE, 'helm', 'v3.22.0', 'helm')

/** Where the chart, its examples and the manifests are. */
export const KUBERNETES = join(ROOT, 'deploy', 'kubernetes')

/** The chart. */
export const CHART = join(KUBERNETES, 'chart')

/**
 * Runs Helm without a configuration of its own; throws with what it said.
 *
 * @param kubeconfig the cluster that it works on; absent: none
 */
export const helm = async (args: readonly string[], kubeconfig?: string): Promise<string> => {
  // Helm keeps what it finds out about a cluster there.
  await using home = await mkdtempDisposable(join(tmpdir(), 'helm-'))
  const child = spawn(HELM, args, {
    env: { HOME: home.path, KUBECONFIG: kubeconfig ?? join(home.path, 'none') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, complaint] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  if (child.exitCode === 0) return output
  throw new Error(`helm ${args[0]} ended with ${child.exitCode}:\n${complaint}${output}`)
}

// cert-manager's own controllers, for certificates of CAs in Secrets.

import type { Cluster } from './cluster.ts'
import { Daemon } from './daemon.ts'
import { goProgram, skipWithoutGoProgram } from './go-program.ts'

const PROGRAM = goProgram('cert-manager')

/** For `skip` of node:test, like {@link skipWithoutGoProgram}. */
export const skipWithoutCertManager = (): string | false => skipWithoutGoProgram(PROGRAM)

/** Starts them for one namespace of a cluster that has the definitions of their resources. */
export const startCertManager = async (
  { kubeconfig }: Cluster,
  namespace: string,
): Promise<AsyncDisposable> => {
  // Nothing announces that they have begun: a certificate is ready some time later.
  const daemon = new Daemon({
    command: PROGRAM,
    args: [kubeconfig, namespace],
    probe: async () => undefined,
  })
  await daemon.start()
  return daemon
}

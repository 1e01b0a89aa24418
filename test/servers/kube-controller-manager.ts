// The real kube-controller-manager: what makes pods of deployments, and takes away what is deleted.

import { writeAdministratorKubeconfig } from './administrator-kubeconfig.ts'
import { Daemon } from './daemon.ts'
import type { KubeApiServer } from './kube-apiserver.ts'
import { KUBE_CONTROLLER_MANAGER } from './kubernetes-programs.ts'
import type { KeyPair } from './pki.ts'
import type { TemporaryFolder } from './temporary.ts'

/** The API server that it works for. */
interface Server extends Pick<KubeApiServer, 'url' | 'ca' | 'call'> {
  readonly administrator: KeyPair
  /** What the tokens of service accounts are signed with, a file. */
  readonly accountsKey: string
}

/** Starts it; resolves when a namespace has what it makes in each. */
export const startKubeControllerManager = async (
  { url, ca, administrator, accountsKey, call }: Server,
  folder: TemporaryFolder,
): Promise<AsyncDisposable> => {
  const kubeconfig = folder.file('controllers.kubeconfig')
  await writeAdministratorKubeconfig(kubeconfig, { url, ca, administrator })
  const daemon = new Daemon({
    command: KUBE_CONTROLLER_MANAGER,
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--service-account-private-key-file=${accountsKey}`,
      `--root-ca-file=${ca}`,
    ],
    probe: async () => {
      await call({ method: 'GET', path: '/api/v1/namespaces/default/serviceaccounts/default' })
    },
  })
  await daemon.start()
  return daemon
}

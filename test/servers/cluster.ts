// A real API server, and its administrator's kubectl. It has no controllers and no kubelet: what it
// accepts is stored, and pods are made by the tests from their templates.

import { writeFile } from 'node:fs/promises'
import { writeAdministratorKubeconfig } from './administrator-kubeconfig.ts'
import {
  startKubeApiServer,
  type KubeApiServer,
  type KubeApiServerOptions,
} from './kube-apiserver.ts'
import { kubectl, type KubectlResult } from './kubectl.ts'
import { temporaryFolder } from './temporary.ts'

/** One cluster. */
export interface Cluster extends AsyncDisposable {
  readonly server: KubeApiServer
  /** Of the administrator. */
  readonly kubeconfig: string
  /** Runs kubectl as the administrator, with a file of that content for `-f -`, if any. */
  kubectl(args: readonly string[], content?: string): Promise<KubectlResult>
  /** Makes a namespace in which only pods run that may do next to nothing. */
  createNamespace(name: string): Promise<void>
}

/** Starts one. */
export const startCluster = async (options?: KubeApiServerOptions): Promise<Cluster> => {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startKubeApiServer(options))
  const folder = stack.use(await temporaryFolder())
  const kubeconfig = folder.file('kubeconfig')
  await writeAdministratorKubeconfig(kubeconfig, server)
  const owned = stack.move()
  return {
    server,
    kubeconfig,
    async kubectl(args, content) {
      await using own = await temporaryFolder()
      const file = own.file('objects.yaml')
      if (content !== undefined) await writeFile(file, content)
      const given = content === undefined ? [] : ['-f', file]
      return await kubectl([`--kubeconfig=${kubeconfig}`, ...args, ...given])
    },
    async createNamespace(name) {
      const labels = Object.fromEntries(
        ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
      )
      const body = { metadata: { name, labels } }
      await server.call({ method: 'POST', path: '/api/v1/namespaces', body })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

// The kubeconfig of a test cluster's administrator, for programs that take one.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { KubeApiServer } from './kube-apiserver.ts'

/** Writes it. */
export const writeAdministratorKubeconfig = async (
  file: string,
  { url, ca, administrator }: Pick<KubeApiServer, 'url' | 'ca' | 'administrator'>,
): Promise<void> => {
  const user = {
    'client-certificate': administrator.certificate,
    'client-key': administrator.key,
  }
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': ca } }],
    users: [{ name: 'administrator', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'administrator' } }],
    'current-context': 'test',
  }
  await writeFile(file, stringify(content))
}

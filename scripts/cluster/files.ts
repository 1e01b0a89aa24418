// The folder of a cluster: certificates, keys, the administrator's kubeconfig, and the audit policy. What exists is kept.

import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { createAuthority, type Authority } from '../../src/cli/ca/authority.ts'
import { issue, type Issued, type Profile } from '../../src/cli/ca/issue.ts'
import { keyPem } from '../../src/cli/ca/keys.ts'
import { namesFor } from '../../src/cli/ca/names.ts'
import { newKubeconfig } from '../../src/cli/kubeconfig/document.ts'
import { KUBECTL } from '../../test/servers/kubernetes-programs.ts'

/** The files of a prepared folder. */
export interface ClusterFiles {
  /** The absolute path of a file in the folder. */
  readonly path: (name: string) => string
}

/** Makes what the servers need, except what a former start made. The kubeconfig is made anew, for the port. */
export const prepareFolder = async (folder: string, port: number): Promise<ClusterFiles> => {
  const root = resolve(folder)
  const path = (name: string): string => join(root, name)
  await mkdir(path('bin'), { recursive: true, mode: 0o700 }) // private keys
  await linkKubectl(path('bin/kubectl'))
  if (!existsSync(path('ca.pem'))) await writeCertificates(path)
  if (!existsSync(path('service-accounts.key'))) await writeServiceAccountKeys(path)
  await writeFile(path('audit-policy.yaml'), AUDIT_POLICY)
  for (const user of ['admin', 'controllers']) await writeKubeconfig(path, user, port)
  return { path }
}

type Path = ClusterFiles['path']

const linkKubectl = async (link: string): Promise<void> => {
  await rm(link, { force: true })
  await symlink(KUBECTL, link)
}

const writeCertificates = async (path: Path): Promise<void> => {
  const authority = await createAuthority({ commonName: 'Countersign trial cluster CA' })
  const server = namesFor('server', { dns: ['localhost', 'kubernetes'], ip: ['127.0.0.1'] })
  await writeIssued(path, 'kube-apiserver', await issued(authority, 'server', server))
  for (const [name, user] of [
    ['admin', 'admin'],
    ['controllers', 'system:kube-controller-manager'],
  ] as const) {
    const names = namesFor('client', { user, group: ['system:masters'] })
    await writeIssued(path, name, await issued(authority, 'client', names))
  }
  await writeFile(path('ca.key'), keyPem(authority.key), { mode: 0o600 })
  // The CA of the cluster comes first. kube-apiserver reads the file again when it changes.
  await writeFile(path('client-ca.pem'), authority.certificates)
  await writeFile(path('ca.pem'), authority.certificates) // last: its presence means that all are there
}

const issued = async (
  authority: Authority,
  profile: Profile,
  names: ReturnType<typeof namesFor>,
): Promise<Issued> => await issue(authority, { profile, ...names })

const writeIssued = async (
  path: Path,
  name: string,
  { certificate, key }: Issued,
): Promise<void> => {
  await writeFile(path(`${name}.pem`), certificate)
  await writeFile(path(`${name}.key`), key, { mode: 0o600 })
}

const writeServiceAccountKeys = async (path: Path): Promise<void> => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  await writeFile(path('service-accounts.pub'), publicKey)
  await writeFile(path('service-accounts.key'), privateKey, { mode: 0o600 })
}

// Requests of users, once they are answered, without bodies (audit.k8s.io/v1, Policy).
const AUDIT_POLICY = stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', users: ['system:apiserver', 'system:kube-controller-manager'] },
    { level: 'None', nonResourceURLs: ['/readyz', '/livez', '/healthz'] },
    { level: 'Metadata' },
  ],
})

const writeKubeconfig = async (path: Path, user: string, port: number): Promise<void> => {
  const base64 = async (name: string): Promise<string> =>
    (await readFile(path(name))).toString('base64')
  const text = newKubeconfig({
    name: 'cluster',
    cluster: {
      name: 'cluster',
      entry: {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': await base64('ca.pem'),
      },
    },
    user: {
      name: user,
      entry: {
        'client-certificate-data': await base64(`${user}.pem`),
        'client-key-data': await base64(`${user}.key`),
      },
    },
  })
  await writeFile(path(`${user}.kubeconfig`), text, { mode: 0o600 })
}

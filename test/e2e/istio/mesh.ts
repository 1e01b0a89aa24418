// The cluster before Countersign is installed: Istio's definitions, namespaces, the gateway's account, and
// replacements for Services and Secrets.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { Cluster } from '../../servers/cluster.ts'
import { NAMESPACE } from '../../servers/istio-gateway.ts'
import { ISTIO_DEFINITIONS } from '../../servers/istiod.ts'
import type { KeyPair } from '../../servers/pki.ts'

const NAMESPACES = ['istio-system', NAMESPACE, 'apps']
const RBAC = 'rbac.authorization.k8s.io'

/** Makes the definitions and the namespaces. */
export const defineIstio = async (cluster: Cluster): Promise<void> => {
  await succeed(cluster, ['apply', '--server-side', '-f', ISTIO_DEFINITIONS])
  const established = ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']
  await Promise.all([
    succeed(cluster, established),
    cluster.createNamespace('countersign'),
    ...NAMESPACES.map((name) =>
      cluster.server.call({
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { metadata: { name } },
      }),
    ),
  ])
  await apply(cluster, gatewayAccount)
}

/** Applies objects as the administrator. */
export const apply = async (
  cluster: Cluster,
  objects: readonly object[],
  ...options: readonly string[]
): Promise<void> => {
  const text = objects.map((object) => stringify(object, { aliasDuplicateObjects: false }))
  await succeed(cluster, ['apply', '--server-side', ...options], text.join('---\n'))
}

/** Runs kubectl as the administrator; throws where it fails. */
export const succeed = async (
  cluster: Cluster,
  args: readonly string[],
  content?: string,
): Promise<string> => {
  const { code, output, complaint } = await cluster.kubectl(args, content)
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${complaint}`)
  return output
}

/** A Secret of the gateway's namespace, out of PEM files. */
export const secretOf = async (
  name: string,
  ca: string,
  pair?: KeyPair,
): Promise<Readonly<Record<string, unknown>>> => {
  const files = {
    ...(pair === undefined ? {} : { 'tls.crt': pair.certificate, 'tls.key': pair.key }),
    'ca.crt': ca,
  }
  const entries = Object.entries(files).map(
    async ([key, file]) => [key, await readFile(file, 'utf8')] as const,
  )
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: NAMESPACE },
    stringData: Object.fromEntries(await Promise.all(entries)),
  }
}

const inGateway = (apiVersion: string, kind: string, more: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name: 'gateway', namespace: NAMESPACE },
  ...more,
})

// As the chart of Istio's gateways has it: without, istiod gives it no Secret.
const gatewayAccount: readonly object[] = [
  inGateway('v1', 'ServiceAccount'),
  inGateway(`${RBAC}/v1`, 'Role', {
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] }],
  }),
  inGateway(`${RBAC}/v1`, 'RoleBinding', {
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'gateway' },
    subjects: [{ kind: 'ServiceAccount', name: 'gateway', namespace: NAMESPACE }],
  }),
]

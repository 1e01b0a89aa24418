// What users may do in the cluster, by its own RBAC.

import type { KubeApiServer } from '../../servers/kube-apiserver.ts'
import { BUILDER } from './configuration.ts'

const GROUP = 'rbac.authorization.k8s.io'

/** The subject of a role binding. */
interface Subject {
  readonly kind: 'User' | 'Group'
  readonly name: string
}

/** A rule of a role. */
interface RoleRule {
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** The namespace in which they may do something. */
export const { namespace: NAMESPACE } = BUILDER

/** Makes a role in the namespace, and binds it to a user. */
export const grant = async (
  server: KubeApiServer,
  name: string,
  rule: RoleRule,
  subject: Subject,
): Promise<void> => {
  const path = `/apis/${GROUP}/v1/namespaces/${NAMESPACE}`
  const rules = [{ apiGroups: [''], ...rule }]
  await server.call({ method: 'POST', path: `${path}/roles`, body: { metadata: { name }, rules } })
  const roleRef = { apiGroup: GROUP, kind: 'Role', name }
  const body = { metadata: { name }, roleRef, subjects: [{ apiGroup: GROUP, ...subject }] }
  await server.call({ method: 'POST', path: `${path}/rolebindings`, body })
}

/** Lets a group do everything in the cluster. */
export const grantEverything = async (server: KubeApiServer, group: string): Promise<void> => {
  await server.call({
    method: 'POST',
    path: `/apis/${GROUP}/v1/clusterrolebindings`,
    body: {
      metadata: { name: `everything-for-${group}` },
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: GROUP, kind: 'Group', name: group }],
    },
  })
}

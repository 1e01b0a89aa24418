// The programs of Kubernetes that `sh scripts/kubernetes.sh` builds.

import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')

/** Their folder. */
export const KUBERNETES_FOLDER = join(CACHE, 'kube', 'v1.37.2')

const program = (name: string): string => join(KUBERNETES_FOLDER, name)

/** The API server. */
export const API_SERVER = program('kube-apiserver')
/** The database of the API server. */
export const ETCD = program('etcd')
/** The controllers: they make pods of deployments, and delete what a namespace contained. */
export const KUBE_CONTROLLER_MANAGER = program('kube-controller-manager')
/** The client. */
export const KUBECTL = program('kubectl')

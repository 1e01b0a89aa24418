// What clients of a Kubernetes API server ask before they ask for anything else: which APIs and schemas it has, its
// version and its health.

import type { KubernetesRequest } from './request-info.ts'

/**
 * `nonResourceURLs` of the ClusterRole `system:discovery`, which every authenticated user has (RBAC, "Default roles and
 * role bindings"). A final `*` is any rest.
 */
export const DISCOVERY_URLS: readonly string[] = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
]

/** Whether the request only asks what the API server is, and reads no resource. */
export const isDiscovery = ({
  isResource,
  verb,
  path,
}: Pick<KubernetesRequest, 'isResource' | 'verb' | 'path'>): boolean =>
  !isResource && verb === 'get' && DISCOVERY_URLS.some((url) => covers(url, path))

const covers = (url: string, path: string): boolean =>
  url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : path === url

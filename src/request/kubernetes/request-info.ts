// What a request asks of a Kubernetes API server: verb, resource, namespace and so on, as the server
// itself reads them (apiserver v0.37.2, pkg/endpoints/request/requestinfo.go). What it could read
// otherwise than we do, and what another reader could, is refused.

import type { Request } from '../request.ts'
import { readImpersonation, type Impersonation } from './impersonation.ts'
import { readListQuery } from './query.ts'

/** The attributes of a request, named as in the API server's `RequestInfo`; empty, never absent. */
export interface KubernetesRequest {
  /** Whether it is for an object or a collection; else only `path` and `verb` say something. */
  readonly isResource: boolean
  /**
   * `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `proxy` or,
   * with another method, nothing. For a path that names no resource, the method in lower case.
   */
  readonly verb: string
  readonly path: string
  /** `api`, `apis` or nothing. */
  readonly apiPrefix: string
  /** Empty for the core group. */
  readonly apiGroup: string
  readonly apiVersion: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  /** From the path or, of a list, from its field selector. */
  readonly name: string
  /** The path from the resource on. */
  readonly parts: readonly string[]
  /** Not parsed; empty for verbs and paths with which the server does not honour it. */
  readonly fieldSelector: string
  readonly labelSelector: string
  /** The identity that the caller impersonates. */
  readonly impersonation?: Impersonation
}

/** A request that the API server reads the same way, or the reason why it is refused. */
export type KubernetesReading =
  | { readonly outcome: 'read'; readonly kubernetes: KubernetesRequest }
  | {
      readonly outcome: 'refused'
      readonly code: 'ambiguous-path' | 'ambiguous-query' | 'impersonation-malformed'
    }

type Attributes = Omit<KubernetesRequest, 'impersonation'>
type Ambiguity = 'ambiguous-path' | 'ambiguous-query'

// Else they would be resources in the namespace.
const isNamespaceSubresource = (segment: string | undefined): boolean =>
  segment === 'status' || segment === 'finalize'
// Verbs that a path may begin with (deprecated, and still served).
const PATH_VERBS: ReadonlySet<string> = new Set(['proxy', 'watch'])
const VERBS: ReadonlyMap<string, string> = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
])
// Groups, versions, resources and subresources are DNS names and labels, and `_` and `:` come in the
// metrics that are served as such. All else only looks like one: `Secrets`, `secrets;v=1`, `*`.
const KIND = /^[a-z0-9][a-z0-9._:-]*$/

/**
 * Reads a request for a Kubernetes API server. Pure; never throws; linear in what the caller wrote.
 *
 * @param request read by `readRequest`: its path was decoded once, which is what the server does too
 */
export const readKubernetes = ({
  method,
  path,
  query,
  headers,
}: Pick<Request, 'method' | 'path' | 'query' | 'headers'>): KubernetesReading => {
  const attributes = readAttributes(method, path, query)
  if (typeof attributes === 'string') return { outcome: 'refused', code: attributes }
  const whom = readImpersonation(headers)
  switch (whom.outcome) {
    case 'none':
      return { outcome: 'read', kubernetes: attributes }
    case 'read':
      return { outcome: 'read', kubernetes: { ...attributes, impersonation: whom.impersonation } }
    case 'malformed':
      return { outcome: 'refused', code: 'impersonation-malformed' }
  }
}

const readAttributes = (method: string, path: string, query: string): Attributes | Ambiguity => {
  const segments = splitPath(path)
  if (segments === undefined) return 'ambiguous-path'
  const [apiPrefix = ''] = segments
  const grouped = apiPrefix === 'apis'
  if (!grouped && apiPrefix !== 'api') {
    return resemblesPrefix(apiPrefix) ? 'ambiguous-path' : notResource(method, path, '')
  }
  // `/api/v1` and `/apis/apps/v1` are discovery.
  if (segments.length < 3) return notResource(method, path, '')
  if (grouped && segments.length < 4) return notResource(method, path, apiPrefix)
  const versionAt = grouped ? 2 : 1
  const read = readParts(method, segments.slice(versionAt + 1))
  if (read === undefined) return 'ambiguous-path'
  const attributes = {
    isResource: true,
    path,
    apiPrefix,
    apiGroup: grouped ? (segments[1] ?? '') : '',
    apiVersion: segments[versionAt] ?? '',
    ...read,
    fieldSelector: '',
    labelSelector: '',
  }
  return isNamedPlainly(attributes) ? withQuery(attributes, query) : 'ambiguous-path'
}

/** Without a slash at either end. Empty segments and dots are refused, as by `readPath`. */
const splitPath = (path: string): readonly string[] | undefined => {
  if (path === '/') return []
  const segments = path.slice(1, path.endsWith('/') ? -1 : undefined).split('/')
  return segments.some((segment) => DOTS.has(segment)) ? undefined : segments
}

const DOTS: ReadonlySet<string> = new Set(['', '.', '..'])

// In upper case, to which more letters fold than to lower case: "ı" and "ſ".
const resemblesPrefix = (segment: string): boolean => /^APIS?$/.test(segment.toUpperCase())

const notResource = (method: string, path: string, apiPrefix: string): Attributes => ({
  isResource: false,
  verb: method.toLowerCase(),
  path,
  apiPrefix,
  apiGroup: '',
  apiVersion: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  parts: [],
  fieldSelector: '',
  labelSelector: '',
})

/** The path behind the version; `undefined` where the server answers with an error. */
const readParts = (method: string, segments: readonly string[]) => {
  const [first = ''] = segments
  const verbInPath = PATH_VERBS.has(first)
  const verb = verbInPath ? first : (VERBS.get(method) ?? '')
  const whole = verbInPath ? segments.slice(1) : segments
  if (whole.length === 0) return undefined
  const namespace = whole[0] === 'namespaces' ? (whole[1] ?? '') : ''
  const inNamespace = namespace !== '' && whole.length > 2 && !isNamespaceSubresource(whole[2])
  const parts = inNamespace ? whole.slice(2) : whole
  const [resource = '', name = '', subresource = ''] = parts
  return {
    verb,
    namespace,
    resource,
    name,
    subresource: verb === 'proxy' ? '' : subresource,
    parts,
  }
}

const isNamedPlainly = ({ apiPrefix, apiGroup, apiVersion, resource, subresource }: Attributes) =>
  (apiPrefix === 'api' || KIND.test(apiGroup)) &&
  KIND.test(apiVersion) &&
  KIND.test(resource) &&
  (subresource === '' || KIND.test(subresource))

/** A `get` or a `delete` of no name is of many: what it is then, the query tells. */
const withQuery = (attributes: Attributes, query: string): Attributes | Ambiguity => {
  const { verb, name } = attributes
  if (name !== '' || (verb !== 'get' && verb !== 'delete')) return attributes
  const list = readListQuery(query)
  if (list === undefined) return 'ambiguous-query'
  const { fieldSelector, labelSelector } = list
  if (verb === 'delete') {
    return { ...attributes, verb: 'deletecollection', fieldSelector, labelSelector }
  }
  const many = list.watch ? 'watch' : 'list'
  return { ...attributes, verb: many, name: list.name, fieldSelector, labelSelector }
}

// What rules may look for in a request, as far as some request can have it: a `deny` of what never
// comes would refuse nothing, and no operator would notice.

import * as z from 'zod'

// Paths are compared decoded, and those with a backslash, an empty or a dot segment are refused before
// (request/path.ts).
const UNREACHABLE = /[?\\]|%[0-9a-f]{2}|\/\/|\/\.{1,2}(\/|$)/i

/** A path glob. */
export const pathGlobSchema = z
  .string()
  .startsWith('/', { error: 'must start with "/"', abort: true })
  .refine(
    (glob) => !UNREACHABLE.test(glob),
    'matches no request: write it decoded, without a query, a backslash, "//", "/./" and "/../"',
  )

/** The verbs of Kubernetes that a request for a resource can have. */
export const RESOURCE_VERBS: ReadonlySet<string> = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'proxy',
])

// A path without a resource has the method of HTTP for a verb.
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'connect', 'options', 'trace']
const VERBS: ReadonlySet<string> = new Set(['*', ...RESOURCE_VERBS, ...METHODS])

/** A verb of Kubernetes. RBAC has more (`impersonate`, `use`, `bind`), of which no request is. */
export const verbSchema = z
  .string()
  .regex(/^(\*|[a-z]+)$/, {
    error: 'must be a lower-case verb such as "list", or "*"',
    abort: true,
  })
  .refine((verb) => VERBS.has(verb), 'is not a Kubernetes verb; "list" is one, "*" matches all')

/** An API group of Kubernetes, or a pattern of some. */
export const apiGroupSchema = z
  .string()
  .refine(
    (group) => group !== 'core' && !/\/|^v\d/.test(group),
    'must be a group without a version, such as "apps"; the core group is ""',
  )

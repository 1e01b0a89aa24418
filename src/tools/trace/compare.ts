// Compares a decision with what an API server logged under its id.

import {
  credentialOf,
  credentialValue,
  pathOf,
  type ApiRequest,
  type TracedDecision,
  type TracedIssuance,
} from './records.ts'

/** Something that is not as it was decided. */
export interface Difference {
  readonly what:
    | 'decision'
    | 'requests'
    | 'user'
    | 'groups'
    | 'impersonated-user'
    | 'impersonated-groups'
    | 'verb'
    | 'resource'
    | 'path'
    | 'credential'
  /** In our logs, and in the API server's. */
  readonly ours: string
  readonly theirs: string
}

/** Where they differ. */
export const compare = (
  decision: TracedDecision,
  issued: readonly TracedIssuance[],
  seen: readonly ApiRequest[],
): readonly Difference[] => {
  if (seen.length === 0) return []
  if (decision.decision === 'deny') {
    const theirs = counted(seen.length)
    return [{ what: 'decision', ours: `refused: ${decision.reason}`, theirs }]
  }
  const differences = seen.flatMap((request) => [
    ...compareCallers(decision, request),
    ...compareTargets(decision, request),
    ...compareCredentials(decision, issued, request),
  ])
  if (seen.length === 1) return differences
  return [{ what: 'requests', ours: '1 request', theirs: counted(seen.length) }, ...differences]
}

const counted = (count: number): string => `${count} request${count === 1 ? '' : 's'}`

type Caller = Pick<ApiRequest['user'], 'username' | 'groups'>

/** The user: with impersonation by the caller or by Countersign, the API server may record two. */
const compareCallers = (
  { user = '', groups, kubernetes }: TracedDecision,
  request: ApiRequest,
): readonly Difference[] => {
  const caller = { username: user, groups }
  const asked = kubernetes?.impersonation
  if (asked === undefined) {
    // Where the headers are those of impersonation, the credential is Countersign's.
    return compareCaller(caller, request.impersonatedUser ?? request.user, 'user', 'groups')
  }
  const wanted = { username: asked.user, groups: asked.groups }
  const seen = request.impersonatedUser ?? { username: '', groups: [] }
  return [
    ...compareCaller(caller, request.user, 'user', 'groups'),
    ...compareCaller(wanted, seen, 'impersonated-user', 'impersonated-groups'),
  ]
}

const compareCaller = (
  ours: Caller,
  theirs: Caller,
  user: Difference['what'],
  groups: Difference['what'],
): readonly Difference[] => [
  ...differing(user, ours.username, theirs.username),
  ...differing(groups, inOrder(ours.groups), inOrder(theirs.groups)),
]

// The API server adds it to every authenticated user, and the groups of a service account to its user.
const isAdded = (group: string): boolean =>
  group === 'system:authenticated' || /^system:serviceaccounts(:|$)/.test(group)

const inOrder = (groups: readonly string[]): string =>
  JSON.stringify([...new Set(groups)].filter((group) => !isAdded(group)).toSorted())

const compareTargets = (
  { kubernetes, path }: TracedDecision,
  { verb, requestURI, objectRef = {} }: ApiRequest,
): readonly Difference[] => {
  // Countersign's list may be cut off.
  const cut = pathOf(requestURI).slice(0, path?.length)
  const paths = path === undefined ? [] : differing('path', pathOf(path), cut)
  if (kubernetes === undefined) return paths
  const { apiGroup, resource, subresource, namespace, name } = kubernetes
  // The API server adds values of the body: the name of a created object, for example.
  const theirs = [
    objectRef.apiGroup,
    objectRef.resource,
    objectRef.subresource,
    namespace && objectRef.namespace,
    name && objectRef.name,
  ]
  const ours = [apiGroup, resource, subresource, namespace, name]
  return [
    ...paths,
    ...differing('verb', kubernetes.verb, verb),
    ...(resource === undefined ? [] : differing('resource', joined(ours), joined(theirs))),
  ]
}

const joined = (parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('/')

const TOKENS: ReadonlySet<string> = new Set(['minted-token', 'exchanged-token', 'service-token'])

const compareCredentials = (
  { jti, handle, forwarded }: TracedDecision,
  issued: readonly TracedIssuance[],
  request: ApiRequest,
): readonly Difference[] => {
  const theirs = credentialOf(request) ?? 'none'
  if (jti.length > 0 && forwarded.some((kind) => TOKENS.has(kind))) {
    const isOurs = theirs.startsWith('JTI=') && jti.includes(credentialValue(theirs))
    return isOurs ? [] : [{ what: 'credential', ours: `JTI=${jti.join(', ')}`, theirs }]
  }
  if (handle === undefined || issued.length === 0) return []
  const fingerprints = issued.map(({ fingerprint }) => fingerprint)
  const isOurs = theirs.startsWith('X509SHA256=') && fingerprints.includes(credentialValue(theirs))
  const ours = `X509SHA256=${fingerprints.join(', ')}`
  return isOurs ? [] : [{ what: 'credential', ours, theirs }]
}

const differing = (what: Difference['what'], ours: string, theirs: string) =>
  ours === theirs ? [] : [{ what, ours, theirs }]

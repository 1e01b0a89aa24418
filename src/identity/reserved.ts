// Names that have power in Kubernetes by themselves. A caller with one of them controls the cluster, so
// they are refused unless the configuration lists them.

/**
 * The first reserved name among the user and the groups that is not allowed, if any.
 *
 * Kubernetes reserves the prefix `system:`; members of `system:masters` bypass RBAC altogether
 * (kubernetes.io, "Using RBAC Authorization": default roles and role bindings).
 *
 * @param allowed names, each written out; or `system:serviceaccount:NAMESPACE:*`, for every service
 *   account of a namespace. There is no pattern for all namespaces: accounts of `kube-system` can do
 *   what an administrator can.
 */
export const findReserved = (
  names: { readonly user: string; readonly groups: readonly string[] },
  allowed: ReadonlySet<string>,
): string | undefined =>
  [names.user, ...names.groups].find((name) => isReserved(name) && !isAllowed(name, allowed))

// Compared without regard to case or surrounding space: a directory or an upstream may fold them.
const isReserved = (name: string): boolean => name.trim().toLowerCase().startsWith('system:')

// kubernetes.io, "Service Accounts": system:serviceaccount:NAMESPACE:NAME. A namespace is a DNS
// label and an account a DNS subdomain (RFC 1123), so neither holds a colon or an asterisk.
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const SERVICE_ACCOUNT = new RegExp(
  `^system:serviceaccount:(${LABEL}):(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`,
)

/** The pattern is derived from the name, never the other way, so it matches only that name. */
const isAllowed = (name: string, allowed: ReadonlySet<string>): boolean => {
  if (name.includes('*')) return false // it would be taken for a pattern further on
  if (allowed.has(name)) return true
  const namespace = SERVICE_ACCOUNT.exec(name)?.[1]
  return namespace !== undefined && allowed.has(`system:serviceaccount:${namespace}:*`)
}

// Names that carry power by themselves in Kubernetes. Whoever can yield one owns the cluster, so
// they are refused unless the configuration spells them out.

/**
 * The first reserved name among the user and the groups that is not allowed, if any.
 *
 * Kubernetes reserves the prefix `system:`; members of `system:masters` bypass RBAC altogether
 * (kubernetes.io, "Using RBAC Authorization": default roles and role bindings).
 */
export const findReserved = (
  names: { readonly user: string; readonly groups: readonly string[] },
  allowed: ReadonlySet<string>,
): string | undefined =>
  [names.user, ...names.groups].find((name) => isReserved(name) && !allowed.has(name))

// Compared without regard to case or surrounding space: a directory or an upstream may fold them.
const isReserved = (name: string): boolean => name.trim().toLowerCase().startsWith('system:')

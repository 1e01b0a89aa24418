// Whom a caller wants to be treated as, where a rule allowed it: the headers that the API server
// reads, set anew from the parsed request, so that it reads what the rules have decided about. The
// identity that authenticates stays the caller's, and the API server's own rules must allow it too.

import type { Impersonation } from '../request/kubernetes/impersonation.ts'
import { encodeExtraKey, forwardLines } from './headers/kubernetes-headers.ts'
import type { RepeatedHeader, Transformation } from './transformer.ts'

/**
 * `Impersonate-User`, `-Uid`, `-Group` and `-Extra-*` (kubernetes.io, "User impersonation"; client-go
 * v0.37.2, transport/round_trippers.go). A line for each group and for each value.
 */
export const impersonationHeaders = ({
  user,
  uid,
  groups,
  extra,
}: Impersonation): Transformation => {
  const headers: RepeatedHeader[] = [{ name: 'impersonate-user', values: [user] }]
  if (uid !== undefined) headers.push({ name: 'impersonate-uid', values: [uid] })
  if (groups.length > 0) headers.push({ name: 'impersonate-group', values: groups })
  for (const [key, values] of extra) {
    headers.push({ name: `impersonate-extra-${encodeExtraKey(key)}`, values })
  }
  return forwardLines(headers)
}

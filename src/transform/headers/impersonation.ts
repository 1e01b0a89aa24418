// The caller, as whom we ask: the request carries our own credential, and these headers have the API
// server treat it as the caller's. No header of the client is read here; that of a caller (`kubectl --as`) is
// `impersonation.ts`, and no route has both.

import { identityHeaders } from './identity-headers.ts'
import { identityLines } from './kubernetes-headers.ts'
import type { Transformer } from '../transformer.ts'

/**
 * `Impersonate-User`, `-Uid`, `-Group` and `-Extra-*` (kubernetes.io, "User impersonation"), a line for
 * each value. The user is always there: kube-apiserver refuses the rest without it (apiserver
 * v0.37.2, pkg/endpoints/filters/impersonation).
 */
export const impersonatedIdentity = (): Transformer =>
  identityHeaders((identity) => identityLines('impersonate-', identity))

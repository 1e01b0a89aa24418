// Identity headers: the identity in the form that an upstream behind an authenticating proxy reads.

import { identityHeaders } from './identity-headers.ts'
import { identityLines } from './kubernetes-headers.ts'
import type { Transformer } from '../transformer.ts'

/**
 * `X-Remote-User`, `X-Remote-Uid`, `X-Remote-Group` and `X-Remote-Extra-*`, as kube-apiserver reads
 * them from an authenticating proxy (`--requestheader-*`; kubernetes.io, "Authenticating proxy").
 * Repeated values are separate lines: it takes `dev,ops` for one group.
 */
export const kubernetesHeaders = (): Transformer =>
  identityHeaders((identity) => identityLines('x-remote-', identity))

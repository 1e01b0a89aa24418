// Builds `headers` and `set` of a route: the headers with the caller's identity. Tokens
// and certificates are built in `transform/build.ts`.

import type { ForwardConfig, HeaderPreset } from '../schema.ts'
import { certificateHeaders } from './certificate.ts'
import { grafanaHeaders, headlampHeaders } from './dashboards.ts'
import { freeHeaders } from './free-headers.ts'
import { impersonatedIdentity, kubernetesHeaders } from './kubernetes-headers.ts'
import type { Transformer } from '../transformer.ts'

/** Each set of headers that the upstream gets, in an order that does not depend on the file's. */
export const buildHeaders = (forward: ForwardConfig): readonly Transformer[] => {
  const { headers, set, allowReserved } = forward
  const used = PRESETS.filter(([preset]) => headers.includes(preset))
  return [
    ...used.map(([, build]) => build(forward)),
    ...(Object.keys(set).length === 0 ? [] : [freeHeaders(set, allowReserved)]),
  ]
}

const PRESETS: readonly (readonly [HeaderPreset, (forward: ForwardConfig) => Transformer])[] = [
  ['kubernetes', kubernetesHeaders],
  ['impersonation', impersonatedIdentity],
  ['certificate', (forward) => certificateHeaders(forward.certificateHeaders)],
  ['grafana', grafanaHeaders],
  ['headlamp', headlampHeaders],
]

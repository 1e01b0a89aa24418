// Identity headers: the identity in the form that an upstream behind an authenticating proxy reads.

import type { Identity } from '../identity/identity.ts'
import { encodeExtraKey, forwardLines } from './kubernetes-headers.ts'
import type { RepeatedHeader, Transformation, Transformer } from './transformer.ts'

/**
 * `X-Remote-User`, `X-Remote-Uid`, `X-Remote-Group` and `X-Remote-Extra-*`, as kube-apiserver reads
 * them from an authenticating proxy (`--requestheader-*`; kubernetes.io, "Authenticating proxy").
 * Repeated values are separate lines: it takes `dev,ops` for one group.
 */
export const kubernetesHeaders = (): Transformer => {
  // Identities are remembered with the proof behind them, so this is worked out once for each.
  const known = new WeakMap<Identity, Transformation>()
  return {
    kind: 'headers',
    transform({ identity }) {
      const remembered = known.get(identity)
      if (remembered !== undefined) return remembered
      const transformation = transformationFor(identity)
      known.set(identity, transformation)
      return transformation
    },
  }
}

const transformationFor = ({ user, uid, groups, extra }: Identity): Transformation => {
  const headers: RepeatedHeader[] = [{ name: 'x-remote-user', values: [user] }]
  if (uid !== undefined) headers.push({ name: 'x-remote-uid', values: [uid] })
  if (groups.length > 0) headers.push({ name: 'x-remote-group', values: groups })
  // Keys that differ in case alone are one key, with the values of both, as they are to whoever
  // writes them without encoding.
  const extras = Map.groupBy(Object.entries(extra), ([key]) => encodeExtraKey(key.toLowerCase()))
  for (const [key, entries] of extras) {
    headers.push({ name: `x-remote-extra-${key}`, values: entries.flatMap(([, values]) => values) })
  }
  return forwardLines(headers)
}

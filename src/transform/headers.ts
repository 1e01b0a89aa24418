// Identity headers: the identity in the form that an upstream behind an authenticating proxy reads.

import type { Identity } from '../identity/identity.ts'
import { canBePassedOn } from '../identity/mapping.ts'
import type { HeaderPair, RepeatedHeader, Transformation, Transformer } from './transformer.ts'

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

// Envoy refuses a request whose headers exceed 60 KiB with 431, and Go servers at 1 MiB; leave room
// for what the caller sent.
const BUDGET_BYTES = 32_768

const transformationFor = ({ user, uid, groups, extra }: Identity): Transformation => {
  const headers: RepeatedHeader[] = [{ name: 'x-remote-user', values: [user] }]
  if (uid !== undefined) headers.push({ name: 'x-remote-uid', values: [uid] })
  if (groups.length > 0) headers.push({ name: 'x-remote-group', values: groups })
  // Keys that differ in case alone are one key to kube-apiserver, with the values of both.
  const extras = Map.groupBy(Object.entries(extra), ([key]) => encodeExtraKey(key))
  for (const [key, entries] of extras) {
    headers.push({ name: `x-remote-extra-${key}`, values: entries.flatMap(([, values]) => values) })
  }
  const values = headers.flatMap((header) => header.values)
  // Bytes above 0x7f go out as UTF-8, which is how Go servers read them.
  if (!values.every(canBePassedOn)) return { outcome: 'failed', code: 'header-unrepresentable' }
  const bytes = headers.reduce((sum, header) => sum + sizeOf(header), 0)
  if (bytes > BUDGET_BYTES) return { outcome: 'failed', code: 'headers-too-large' }
  return {
    outcome: 'transformed',
    forwarding: {
      setHeaders: headers.flatMap(({ name, values: [value, ...more] }): HeaderPair[] =>
        value !== undefined && more.length === 0 ? [[name, value]] : [],
      ),
      repeatedHeaders: headers.filter((header) => header.values.length > 1),
    },
  }
}

// RFC 9110 §5.6.2 tchar without "%" and upper case: kube-apiserver lower-cases the key and then
// percent-decodes it (staging/src/k8s.io/apiserver …/headerrequest: unescapeExtraKey). Without "_"
// too, since Envoy and others refuse or fold names that hold one.
const UNSAFE_IN_KEY = /[^a-z0-9!#$&'*+.^`|~-]/g

const encodeExtraKey = (key: string): string =>
  Buffer.from(key.toLowerCase(), 'utf8')
    .toString('latin1')
    .replace(UNSAFE_IN_KEY, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)

const sizeOf = ({ name, values }: RepeatedHeader): number =>
  values.reduce((sum, value) => sum + name.length + Buffer.byteLength(value) + ': \r\n'.length, 0)

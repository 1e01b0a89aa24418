// Header lines in the form that a Kubernetes API server reads: a line for each value, and the keys of
// extra attributes in the names.

import type { Identity } from '../../identity/identity.ts'
import { canBePassedOn } from '../../identity/mapping.ts'
import type { HeaderPair, RepeatedHeader, Transformation } from '../transformer.ts'

// Envoy refuses a request whose headers exceed 60 KiB with 431, and Go servers at 1 MiB; leave room
// for what the caller sent.
const BUDGET_BYTES = 32_768

/**
 * User, uid, groups and extra attributes, each under its own name behind the prefix; whole or not at
 * all.
 */
export const identityLines = (
  prefix: 'x-remote-' | 'impersonate-',
  { user, uid, groups, extra }: Identity,
): Transformation => {
  const headers: RepeatedHeader[] = [{ name: `${prefix}user`, values: [user] }]
  if (uid !== undefined) headers.push({ name: `${prefix}uid`, values: [uid] })
  if (groups.length > 0) headers.push({ name: `${prefix}group`, values: groups })
  // Keys that differ in case alone are one key, with the values of both, as they are to a server that
  // writes them without encoding.
  const extras = Map.groupBy(Object.entries(extra), ([key]) => encodeExtraKey(key.toLowerCase()))
  for (const [key, entries] of extras) {
    headers.push({ name: `${prefix}extra-${key}`, values: entries.flatMap(([, values]) => values) })
  }
  return forwardLines(headers)
}

/** The lines, whole or not at all. Each header has one value at least. */
export const forwardLines = (headers: readonly RepeatedHeader[]): Transformation => {
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

// RFC 9110 §5.6.2 tchar without "%" and upper case: kube-apiserver lower-cases the name and then
// percent-decodes the key (apiserver v0.37.2, pkg/authentication/request/headerrequest and
// pkg/endpoints/filters/impersonation: unescapeExtraKey). Without "_" too, since Envoy and other proxies
// refuse or fold names that hold one.
const UNSAFE_IN_KEY = /[^a-z0-9!#$&'*+.^`|~-]/g

/** A key as written in a header's name. The API server reads the very key, also upper case. */
export const encodeExtraKey = (key: string): string =>
  Buffer.from(key, 'utf8')
    .toString('latin1')
    .replace(UNSAFE_IN_KEY, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)

const sizeOf = ({ name, values }: RepeatedHeader): number =>
  values.reduce((sum, value) => sum + name.length + Buffer.byteLength(value) + ': \r\n'.length, 0)

// Headers in the form that a Kubernetes API server reads: a line for each value, and the keys of extra attributes in
// the names. Impersonation headers have one of two meanings, and no route has both: `headers: [impersonation]` names
// the caller, next to a credential of Countersign; the caller's own impersonation (`kubectl --as`), where a rule
// allowed it, names the identity that the caller acts as. Both are set anew and not copied.

import type { Identity } from '../../identity/identity.ts'
import { canBePassedOn } from '../../identity/mapping.ts'
import { keepsDerived } from '../../runtime/derived.ts'
import type { RepeatedHeader, Transformation, Transformer } from '../transformer.ts'
import { identityHeaders } from './identity-headers.ts'
import type { Impersonation } from '../../request/kubernetes/impersonation.ts'

// Envoy refuses a request whose headers exceed 60 KiB with 431, and Go servers at 1 MiB; leave room
// for what the caller sent.
const BUDGET_BYTES = 32_768

/**
 * User, uid, groups and extra attributes, each under its own name behind the prefix; whole or not at
 * all.
 */
const identityLines = (
  prefix: 'x-remote-' | 'impersonate-',
  { user, uid, groups, extra }: Identity,
): Transformation => {
  // Keys that differ in case alone are one key, with the values of both, as they are to a server that
  // writes them without encoding.
  const extras = Map.groupBy(Object.entries(extra), ([key]) => encodeExtraKey(key.toLowerCase()))
  const values = [...extras].map(
    ([key, entries]) => [key, entries.flatMap(([, texts]) => texts)] as const,
  )
  return forwardLines(linesOf(prefix, { user, uid, groups }, values))
}

type SingleHeader = RepeatedHeader & { readonly values: readonly [string] }

const isSingle = (header: RepeatedHeader): header is SingleHeader => header.values.length === 1

/** @param extra by its encoded key */
const linesOf = (
  prefix: string,
  { user, uid, groups }: Pick<Identity, 'user' | 'uid' | 'groups'>,
  extra: readonly (readonly [key: string, values: readonly string[]])[],
): readonly RepeatedHeader[] => [
  { name: `${prefix}user`, values: [user] },
  ...(uid === undefined ? [] : [{ name: `${prefix}uid`, values: [uid] }]),
  ...(groups.length === 0 ? [] : [{ name: `${prefix}group`, values: groups }]),
  ...extra.map(([key, values]) => ({ name: `${prefix}extra-${key}`, values })),
]

/** The lines, whole or not at all. Each header has one value at least. */
const forwardLines = (headers: readonly RepeatedHeader[]): Transformation => {
  const values = headers.flatMap((header) => header.values)
  // Bytes above 0x7f go out as UTF-8, which is how Go servers read them.
  if (!values.every(canBePassedOn)) return { outcome: 'failed', code: 'header-unrepresentable' }
  const bytes = headers.reduce((sum, header) => sum + sizeOf(header), 0)
  if (bytes > BUDGET_BYTES) return { outcome: 'failed', code: 'headers-too-large' }
  return {
    outcome: 'transformed',
    forwarding: {
      setHeaders: keepsDerived(
        headers.filter(isSingle).map(({ name, values: [value] }) => [name, value]),
      ),
      repeatedHeaders: keepsDerived(headers.filter((header) => header.values.length > 1)),
    },
  }
}

// RFC 9110 §5.6.2 tchar without "%" and upper case: kube-apiserver lower-cases the name and then
// percent-decodes the key (apiserver v0.37.2, pkg/authentication/request/headerrequest and
// pkg/endpoints/filters/impersonation: unescapeExtraKey). Without "_" too, since Envoy and other proxies
// refuse or fold names that hold one.
const UNSAFE_IN_KEY = /[^a-z0-9!#$&'*+.^`|~-]/g

/** A key as written in a header's name. The API server reads the very key, also upper case. */
const encodeExtraKey = (key: string): string =>
  Buffer.from(key, 'utf8')
    .toString('latin1')
    .replace(UNSAFE_IN_KEY, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)

const sizeOf = ({ name, values }: RepeatedHeader): number =>
  values.reduce((sum, value) => sum + name.length + Buffer.byteLength(value) + ': \r\n'.length, 0)

/**
 * `X-Remote-User`, `X-Remote-Uid`, `X-Remote-Group` and `X-Remote-Extra-*`, as kube-apiserver reads
 * them from an authenticating proxy (`--requestheader-*`; kubernetes.io, "Authenticating proxy").
 * Repeated values are separate lines: it takes `dev,ops` for one group.
 */
export const kubernetesHeaders = (): Transformer =>
  identityHeaders((identity) => identityLines('x-remote-', identity))

/**
 * `Impersonate-User`, `-Uid`, `-Group` and `-Extra-*` (kubernetes.io, "User impersonation"), a line for
 * each value. The user is always there: kube-apiserver refuses the rest without it (apiserver
 * v0.37.2, pkg/endpoints/filters/impersonation).
 */
export const impersonatedIdentity = (): Transformer =>
  identityHeaders((identity) => identityLines('impersonate-', identity))

/**
 * `Impersonate-User`, `-Uid`, `-Group` and `-Extra-*` (kubernetes.io, "User impersonation"; client-go
 * v0.37.2, transport/round_trippers.go). A line for each group and for each value.
 */
export const impersonationHeaders = ({ extra, ...as }: Impersonation): Transformation => {
  const values = [...extra].map(([key, texts]) => [encodeExtraKey(key), texts] as const)
  return forwardLines(linesOf('impersonate-', as, values))
}

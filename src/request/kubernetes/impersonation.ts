// The identity that a request to a Kubernetes API server impersonates: the headers that `kubectl --as`
// sends. Reads them as the API server does (apiserver v0.37.2, pkg/endpoints/filters/impersonation)
// and refuses what it would overlook; whether the caller is allowed to impersonate is decided by the rules.

import type { Headers } from '../headers.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** Who a request is to be, in place of its caller. */
export interface Impersonation {
  readonly user: string
  readonly uid?: string
  /** In the order of the lines. */
  readonly groups: readonly string[]
  /** By key, decoded. */
  readonly extra: ReadonlyMap<string, readonly string[]>
}

/**
 * `malformed`: a name that only looks like one of the headers, one given twice that counts once, an
 * empty value, bytes that are not UTF-8, control characters, or anything without a user.
 */
export type ImpersonationReading =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'read'; readonly impersonation: Impersonation }
  | { readonly outcome: 'malformed' }

const NONE = { outcome: 'none' } as const
const MALFORMED = { outcome: 'malformed' } as const

const EXTRA = 'impersonate-extra-'
// RFC 9110 §5.6.2, in lower case, as Envoy hands it over.
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

/** Reads the impersonation headers of a request. Never throws. */
export const readImpersonation = (headers: Headers): ImpersonationReading => {
  const lines = headers.lines.filter(({ about }) => about.isImpersonation)
  if (lines.length === 0) return NONE
  const once = new Map<string, string>()
  const groups: string[] = []
  const extra = new Map<string, string[]>()
  // Of two spellings of one key the API server takes the values in any order.
  const spellings = new Map<string, string>()
  for (const { name, value: bytes } of lines) {
    const value = readValue(bytes)
    if (value === undefined) return MALFORMED
    if (name === 'impersonate-user' || name === 'impersonate-uid') {
      if (once.has(name)) return MALFORMED
      once.set(name, value)
    } else if (name === 'impersonate-group') {
      groups.push(value)
    } else {
      const key = readKey(name)
      if (key === undefined || (spellings.get(key) ?? name) !== name) return MALFORMED
      spellings.set(key, name)
      const values = extra.get(key)
      if (values === undefined) extra.set(key, [value])
      else values.push(value)
    }
  }
  const user = once.get('impersonate-user')
  const uid = once.get('impersonate-uid')
  if (user === undefined) return MALFORMED
  const impersonation = { user, ...(uid === undefined ? undefined : { uid }), groups, extra }
  return { outcome: 'read', impersonation }
}

/** The text of a value; `undefined` where servers differ on it or it says nothing. */
const readValue = (bytes: Buffer): string | undefined => {
  const text = decodeUtf8(bytes)
  // RFC 9110 §5.5: white space around a value is not part of it, and HTTP/2 may transport some.
  if (text === undefined || text === '' || text.startsWith(' ') || text.endsWith(' ')) {
    return undefined
  }
  return hasControlCharacter(text) ? undefined : text
}

const decodeUtf8 = (bytes: Buffer): string | undefined => {
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined
}

/** The key in `impersonate-extra-KEY`: client-go encodes what no header's name may hold. */
const readKey = (name: string): string | undefined => {
  if (!name.startsWith(EXTRA) || !TOKEN.test(name)) return undefined
  try {
    const key = decodeURIComponent(name.slice(EXTRA.length))
    return key === '' || hasControlCharacter(key) ? undefined : key
  } catch {
    return undefined
  }
}

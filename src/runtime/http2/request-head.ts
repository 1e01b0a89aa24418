// The head of a request out of its fields: the rules of RFC 9113 §8.

import { ROLE, type HeaderField } from './header-field.ts'

/** The head of a request that keeps to the rules. Texts are octets as latin1 characters. */
export interface RequestHead {
  readonly method: string
  /** Empty for CONNECT, as the scheme is. */
  readonly path: string
  readonly scheme: string
  readonly authority: string | undefined
  /** Of the content, in octets; undefined where the client does not say it. */
  readonly contentLength: number | undefined
  /** The fields without the pseudo-header fields, in their order. */
  readonly fields: readonly HeaderField[]
}

/** Whether the fields may be a trailer section: no pseudo-header fields (§8.1). */
export const areTrailers = (fields: readonly HeaderField[]): boolean =>
  fields.every(({ role, name }) => role !== ROLE.malformed && !name.startsWith(':'))

interface Parts {
  method?: string
  path?: string
  scheme?: string
  authority?: string
  host?: string
  contentLength?: number
}

/** Takes a field into the parts; false where it makes the request malformed. */
const takeField = (parts: Parts, { role, value }: HeaderField): boolean => {
  switch (role) {
    case ROLE.malformed:
      return false
    case ROLE.ordinary:
      return true
    case ROLE.method:
      if (parts.method !== undefined) return false // §8.3: not more than once
      parts.method = value
      return true
    case ROLE.path:
      if (parts.path !== undefined) return false
      parts.path = value
      return true
    case ROLE.scheme:
      if (parts.scheme !== undefined) return false
      parts.scheme = value
      return true
    case ROLE.authority:
      if (parts.authority !== undefined) return false
      parts.authority = value
      return true
    case ROLE.host:
      if (parts.host !== undefined) return false
      parts.host = value
      return true
    case ROLE.contentLength: {
      const length = Number(value)
      if (parts.contentLength !== undefined && parts.contentLength !== length) return false
      parts.contentLength = length
      return true
    }
  }
}

/** §8.3.1, §8.5: which pseudo-header fields there must be. */
const isComplete = ({ method, path, scheme, authority, host }: Parts): boolean => {
  if (method === undefined || method === '') return false
  // "SHOULD treat a request as malformed" when they are not the same.
  if (authority !== undefined && host !== undefined && authority !== host) return false
  if (method === 'CONNECT') {
    return path === undefined && scheme === undefined && authority !== undefined
  }
  if (scheme === undefined || path === undefined) return false
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS')
}

/** The head; undefined when the request is malformed (§8.1.1). */
export const requestHead = (fields: readonly HeaderField[]): RequestHead | undefined => {
  const parts: Parts = {}
  const firstRegular = fields.findIndex(({ name }) => !name.startsWith(':'))
  const regular = firstRegular === -1 ? [] : fields.slice(firstRegular)
  // §8.3: pseudo-header fields come before all other fields.
  if (regular.some(({ name }) => name.startsWith(':'))) return undefined
  if (!fields.every((field) => takeField(parts, field)) || !isComplete(parts)) return undefined
  const { method = '', path = '', scheme = '', authority, contentLength } = parts
  return { method, path, scheme, authority, contentLength, fields: regular }
}

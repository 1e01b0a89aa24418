// URLs as curl sends them, other than browsers (WHATWG): nothing is decoded, and only bytes outside
// printable ASCII are escaped.

import { usageError } from '../usage-error.ts'

/** The request of a URL. */
export interface RequestUrl {
  readonly scheme: 'http' | 'https'
  /** Host and port, as in `Host`. */
  readonly authority: string
  /** Without brackets or port. */
  readonly hostname: string
  /** Path and query. */
  readonly target: string
  /** `user:password`, decoded. */
  readonly user?: string
}

/** Options of {@link readUrl}. */
export interface UrlOptions {
  /** Keep dot segments of the path (`--path-as-is`). */
  readonly asIs: boolean
}

/**
 * Splits a URL (RFC 3986 §3) as curl does, without its fragment.
 *
 * @throws CountersignError for a text that is not a URL of HTTP
 */
export const readUrl = (text: string, { asIs }: UrlOptions): RequestUrl => {
  if (/[\s\p{Cc}]/u.test(text))
    throw usageError('the URL contains white space or a control character')
  const [, given = 'http', rest = text] = /^([a-z][a-z0-9+.-]*):\/{1,3}(.*)$/i.exec(text) ?? []
  const scheme = given.toLowerCase()
  if (scheme !== 'http' && scheme !== 'https')
    throw usageError(`"${scheme}:" is not supported; use http: or https:`)
  const end = rest.search(/[/?#]/)
  const site = end === -1 ? rest : rest.slice(0, end)
  const at = site.lastIndexOf('@')
  const authority = site.slice(at + 1)
  if (authority === '') throw usageError('the URL has no host')
  const target = targetOf(end === -1 ? '' : rest.slice(end), asIs)
  const user = at === -1 ? undefined : decodeUser(site.slice(0, at))
  const hostname = authority.replace(/:\d*$/, '').replaceAll(/[[\]]/g, '')
  return { scheme, authority, hostname, target, ...(user === undefined ? {} : { user }) }
}

const targetOf = (rest: string, asIs: boolean): string => {
  const [whole = ''] = rest.split('#', 1)
  const mark = whole.indexOf('?')
  const path = mark === -1 ? whole : whole.slice(0, mark)
  const query = mark === -1 || mark === whole.length - 1 ? '' : whole.slice(mark)
  return escapeBytes((asIs ? path : withoutDots(path)) || '/') + escapeBytes(query)
}

/** RFC 3986 §5.2.4, for a path that begins with a slash. */
const withoutDots = (path: string): string => {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (index === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}

const escapeBytes = (text: string): string =>
  text.replaceAll(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.toWellFormed()).toLowerCase())

const decodeUser = (userinfo: string): string => {
  const text = userinfo.includes(':') ? userinfo : `${userinfo}:`
  try {
    return decodeURIComponent(text)
  } catch {
    throw usageError('the user and password in the URL are not percent-encoded')
  }
}

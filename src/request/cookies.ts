// Countersign's cookies (RFC 6265): found among those that a browser sends, and removed from them.

import { ByteSearch } from './byte-search.ts'
import { MARK } from './header-name.ts'
import type { HeaderLine } from './header-line.ts'
import type { Headers } from './headers.ts'
import { elementsBeginning, withoutElements } from './list.ts'

/**
 * The prefix of the names of Countersign's cookies. Browsers accept such a cookie over TLS alone, from the host
 * itself and for the whole of it (RFC 6265bis §4.1.3.2): no neighbouring host can plant one.
 */
export const OWN_COOKIES = '__Host-countersign'

/** The attributes of a cookie with that prefix. */
export const COOKIE_END = '; Path=/; Secure; HttpOnly; SameSite=Lax'

/** The `Set-Cookie` that ends such a cookie. */
export const endedCookie = (name: string): string => `${name}=; Max-Age=0${COOKIE_END}`

/** The values of the cookies of one name, in their order. A browser sends at most one. */
export const cookiesNamed = (headers: Headers, name: string): readonly string[] => {
  const start = `${name}=`
  return textsBeginning(headers, start).map((text) => text.slice(start.length))
}

/**
 * The cookies whose names begin so, in their order.
 *
 * @param rest how many letters, digits, `-` and `_` are behind it. Names go back to the browser in answers,
 *   so that any other must not be repeated
 */
export const cookiesBeginning = (
  headers: Headers,
  start: string,
  rest: number,
): readonly { readonly name: string; readonly value: string }[] =>
  textsBeginning(headers, start).flatMap((text) => {
    const end = start.length + rest
    const isOurs = (text[end] ?? '=') === '=' && NAME_REST.test(text.slice(start.length, end))
    return isOurs && text.length >= end
      ? [{ name: text.slice(0, end), value: text.slice(end + 1) }]
      : []
  })

const NAME_REST = /^[\w-]+$/

/**
 * The `cookie` header without Countersign's cookies; `undefined` where there is none of them. Empty
 * where nothing is left: then the header is to be removed.
 */
export const cookiesWithoutOurs = (headers: Headers): string | undefined => {
  if (!hasOurs(headers)) return undefined
  // HTTP/2 may have them in several lines (RFC 9113 §8.2.3); all of them become one.
  return cookieLines(headers)
    .map((list) => withoutElements(list, ';', elementsBeginning(list, ';', OWN_COOKIES)))
    .filter((list) => list !== '')
    .join('; ')
}

const OURS = new ByteSearch(OWN_COOKIES)

const hasOurs = ({ lines, marks }: Headers): boolean => {
  if ((marks & MARK.cookie) === 0) return false
  for (const line of lines) if (isCookie(line) && line.has(OURS)) return true
  return false
}

const textsBeginning = (headers: Headers, start: string): readonly string[] =>
  cookieLines(headers, start).flatMap((list) =>
    elementsBeginning(list, ';', start).map(({ text }) => text),
  )

/** The lists of cookies (RFC 6265 §4.2.1) with a text in them. */
const cookieLines = ({ lines }: Headers, text = ''): readonly string[] => {
  const lists: string[] = []
  for (const line of lines) {
    if (!isCookie(line)) continue
    const list = line.text
    if (list.includes(text)) lists.push(list)
  }
  return lists
}

const isCookie = ({ about }: HeaderLine): boolean => (about.marks & MARK.cookie) !== 0

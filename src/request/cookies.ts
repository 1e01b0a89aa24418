// Cookies of ours (RFC 6265): found among those that a browser sends, and taken out of them.

import type { Headers } from './headers.ts'

/**
 * How the names of ours begin. Browsers take such a cookie over TLS alone, from the host itself and for
 * the whole of it (RFC 6265bis §4.1.3.2): no neighbouring host can plant one.
 */
export const OWN_COOKIES = '__Host-countersign'

const COOKIE = 'cookie'

/** The values of the cookies of one name, in their order: more than one is nobody's browser. */
export const cookiesNamed = (headers: Headers, name: string): readonly string[] => {
  const start = `${name}=`
  return pairsIn(headers).flatMap((pair) =>
    pair.startsWith(start) ? [pair.slice(start.length)] : [],
  )
}

/** The cookies whose names begin so, in their order. */
export const cookiesBeginning = (
  headers: Headers,
  start: string,
): readonly { readonly name: string; readonly value: string }[] =>
  pairsIn(headers)
    .filter((pair) => pair.startsWith(start))
    .map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return { name, value: value.join('=') }
    })

/**
 * What `cookie` is to be, so that none of ours goes on; `undefined` where there is none of ours. Empty
 * where nothing is left: then the header is to be removed.
 */
export const cookiesWithoutOurs = (headers: Headers): string | undefined => {
  if (!headers.lines.some(({ name, value }) => name === COOKIE && value.includes(OWN_COOKIES))) {
    return undefined
  }
  return pairsIn(headers)
    .filter((pair) => !pair.startsWith(OWN_COOKIES))
    .join('; ')
}

/** RFC 6265 §4.2.1; HTTP/2 may have them in several lines (RFC 9113 §8.2.3). */
const pairsIn = (headers: Headers): readonly string[] =>
  headers.lines
    .filter(({ name }) => name === COOKIE)
    .flatMap(({ value }) => value.toString('latin1').split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')

// The text of X-Forwarded-Client-Cert as Envoy writes it: elements separated by commas, pairs by
// semicolons, values bare or in quotes. Pure. It says what stands there and not whether to believe it.

/** One proxy's account of its client. */
export type XfccElement = readonly (readonly [key: string, value: string])[]

// Envoy adds one for each proxy.
const MOST_ELEMENTS = 16
// A certificate may have any number of alternative names, and each is a pair.
const MOST_PAIRS = 256

// A value may be empty: Envoy writes `URI=` where there is none. Envoy does not quote a URI or a DNS
// name, and a URI may hold "="; a comma or semicolon in one is the next element or pair, whoever
// meant it. Callers of this see that no such name stands before the element that counts.
const PAIR = /([A-Za-z]{1,32})=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))([,;]|$)/y

/**
 * Reads the elements, the farthest proxy's first; keys in lower case (Envoy compares them so).
 *
 * @returns `undefined` when the text has another form or more parts than anybody's has
 */
export const readXfcc = (text: string): readonly XfccElement[] | undefined => {
  const elements: XfccElement[] = []
  let pairs: (readonly [string, string])[] = []
  let at = 0
  for (let separator = ';'; separator !== '';) {
    PAIR.lastIndex = at
    const match = PAIR.exec(text)
    if (match === null || pairs.length === MOST_PAIRS) return undefined
    const [, key = '', quoted, bare = '', end = ''] = match
    pairs.push([key.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? bare])
    at = PAIR.lastIndex
    separator = end
    if (separator === ';') continue
    if (elements.length === MOST_ELEMENTS) return undefined
    elements.push(pairs)
    pairs = []
  }
  return elements
}

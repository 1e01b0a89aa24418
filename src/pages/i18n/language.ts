// The language of a page, by the browser's `Accept-Language`.

/** As many ranges as a browser sends, with room; what follows them is not read. */
const MOST_RANGES = 32
const LONGEST_HEADER = 1_000

// RFC 9110 §12.5.4 and §12.4.2: language-range [ weight ].
const RANGE =
  /^\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*$/i

interface LanguageRange {
  readonly range: string
  readonly weight: number
}

/**
 * The language to answer in: the lookup of RFC 4647 §3.4, for each range of an `accept-language` in the
 * order of its weights. The `ui_locales` of OpenID Connect is such a list, with spaces for commas.
 *
 * @returns `undefined` where none is wanted, so that the default is the caller's to choose
 */
export const languageFor = <T extends string>(
  acceptLanguage: string | undefined,
  available: readonly T[],
): T | undefined => {
  const ranges = rangesIn(acceptLanguage ?? '')
  const isRefused = (language: string): boolean =>
    ranges.some(({ range, weight }) => weight === 0 && range === language.toLowerCase())
  const offered = available.filter((language) => !isRefused(language))
  const wanted = ranges.filter(({ weight }) => weight > 0).toSorted((a, b) => b.weight - a.weight)
  for (const { range } of wanted) {
    const found = lookUp(range, offered)
    if (found !== undefined) return found
  }
  // RFC 4647 §3.4: "*" names no language; here it means that any other is accepted.
  return wanted.some(({ range }) => range === '*') ? offered[0] : undefined
}

const rangesIn = (header: string): readonly LanguageRange[] =>
  header
    .slice(0, LONGEST_HEADER)
    .split(',', MOST_RANGES)
    .flatMap((item) => {
      const [whole, range = '', weight = '1'] = RANGE.exec(item) ?? []
      return whole === undefined ? [] : [{ range: range.toLowerCase(), weight: Number(weight) }]
    })

/** The range itself, then what is left when its last subtags are taken off, one after another. */
const lookUp = <T extends string>(range: string, available: readonly T[]): T | undefined => {
  const subtags = range.split('-')
  while (subtags.length > 0) {
    const tag = subtags.join('-')
    const found = available.find((language) => language.toLowerCase() === tag)
    if (found !== undefined) return found
    subtags.pop()
    // A singleton introduces what has just been taken off.
    if (subtags.at(-1)?.length === 1) subtags.pop()
  }
  return undefined
}

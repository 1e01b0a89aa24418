// Parameters of a query that hold credentials: read, recognised in every spelling, and taken out.
// Readers of queries differ (percent-encoding, case, `;`, PHP's brackets and dots), so a parameter
// counts only as it is configured, and anything that another reader could take for it is found too.

/** The parameters of a query (`a=b&c`) that hold credentials, by their names. */
export class SecretParameters {
  readonly #names: ReadonlySet<string>
  readonly #foldings: ReadonlySet<string>
  /** The text between separators that is long enough for one of them. */
  readonly #pieces: RegExp
  /** Every decoded name, in lower case, of which a reading is one of {@link #foldings}; and few further names. */
  readonly #candidate: RegExp

  /** @param names as they have to be spelt */
  constructor(names: Iterable<string>) {
    this.#names = new Set(names)
    this.#foldings = new Set([...this.#names].map(fold))
    const shortest = Math.min(...[...this.#foldings].map((folding) => folding.length))
    this.#pieces = new RegExp(`[^${SEPARATORS}]{${Math.max(shortest, 1)},}`, 'g')
    this.#candidate = candidateOf([...this.#foldings])
  }

  /** Whether the query holds something that could be taken for one of them, but is not spelt so. */
  areDisguisedIn(query: string): boolean {
    return this.#findsIn(query, (piece, at) => !this.#isPlain(piece, at, query))
  }

  /** The query without them, otherwise unchanged; `undefined` where it contains none of them. */
  takenFrom(query: string): string | undefined {
    if (query === '') return undefined
    const parts = query.split('&')
    const kept = parts.filter((part) => !this.#names.has(nameOf(part)))
    return kept.length === parts.length ? undefined : kept.join('&')
  }

  /** Whether the query contains them, in any spelling. */
  areIn(query: string): boolean {
    return this.#findsIn(query, () => true)
  }

  /** The query for the eyes of an operator: their values are withheld, in any spelling. */
  withheldIn(query: string): string {
    return query
      .split('&')
      .map((part) => (this.areIn(part) ? part.replace(VALUE, '=[withheld]') : part))
      .join('&')
  }

  /** Whether a piece that resembles one of them is `wanted`; those that are too short are not looked at. */
  #findsIn(query: string, wanted: (piece: string, at: number) => boolean): boolean {
    if (query === '') return false
    for (const { 0: piece, index } of query.matchAll(this.#pieces)) {
      if (this.#resembles(nameOf(piece)) && wanted(piece, index)) return true
    }
    return false
  }

  /** Whether every parser reads the piece as a parameter, and it is one of these. */
  #isPlain(piece: string, at: number, query: string): boolean {
    const end = at + piece.length
    const isFirst = at === 0 || query[at - 1] === '&'
    const isNamed = piece.includes('=') || end === query.length || query[end] === '&'
    return isFirst && isNamed && this.#names.has(nameOf(piece))
  }

  #resembles(name: string): boolean {
    const text = name.includes('%') ? decode(name) : name
    if (!this.#candidate.test(text.toLowerCase())) return false
    // `key[]` and `key[0]` are `key` to PHP, Rails and qs; a C program reads up to a NUL; who decodes
    // too early sees an "=".
    return [text, upTo(text, '['), upTo(text, '\0'), upTo(text, '=')].some((reading) =>
      this.#foldings.has(fold(reading)),
    )
  }
}

/** The values of a parameter that is spelt exactly so, as received; empty where there is no `=`. */
export const valuesOf = (query: string, name: string): readonly string[] =>
  query === ''
    ? []
    : query
        .split('&')
        .filter((part) => nameOf(part) === name)
        .map((part) => part.slice(name.length + 1))

// The "=" may be percent-encoded, once or several times.
const VALUE = /(?:=|%(?:25)*3d)[^]*$/i

// Older readers separate by ";" too (HTML 4.01, B.2.2), and "&amp;" is seen where HTML was not
// decoded; a second "?" occurs in URLs that were composed twice.
const SEPARATORS = '&;?'

/** What {@link fold} takes for blank at the ends of a name. */
const BLANK = String.raw`[\s+\0]`

/** Excludes at once most names of which no reading folds to one of these texts. */
const candidateOf = (foldings: readonly string[]): RegExp => {
  const names = foldings.map((folding) => folding.replaceAll('_', '[^a-z0-9]'))
  return new RegExp(String.raw`^${BLANK}*(?:${names.join('|')})${BLANK}*(?:$|[\[\0=])`)
}

const nameOf = (part: string): string => upTo(part, '=')

const upTo = (text: string, end: string): string => {
  const at = text.indexOf(end)
  return at === -1 ? text : text.slice(0, at)
}

/**
 * Decodes what is encoded once or several times (`%2561`), or as IIS reads it (`%u0061`). In a loop, since callers choose how
 * much there is: a regular expression that calls back for each match takes several times as long.
 */
const decode = (name: string): string => {
  let text = ''
  let from = 0
  for (let at = name.indexOf('%'); at !== -1; at = name.indexOf('%', from)) {
    text += name.slice(from, at)
    let digits = at + 1
    while (name.startsWith('25', digits)) digits += 2
    from = digits
    if (name.startsWith('u00', digits) || name.startsWith('U00', digits)) digits += 3
    const [high, low] = [digitAt(name, digits), digitAt(name, digits + 1)]
    if (high === -1 || low === -1) text += '%'
    else {
      text += String.fromCharCode(high * 16 + low)
      from = digits + 2
    }
  }
  return text + name.slice(from)
}

/** The value of a hexadecimal digit; -1 where there is none. */
const digitAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/**
 * One text for all names that some reader takes for one: ASP.NET ignores case and PHP makes `_` of
 * space, dot and bracket, which is done here to everything but letters and digits.
 */
const fold = (name: string): string =>
  name
    .replaceAll(/[+\0]/g, ' ')
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '_')

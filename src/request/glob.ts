// Path globs: `*` is one segment or a part of one, `{name}` one segment with a name, `**` any number
// of segments. Clients choose the path, so matching takes linear time.

/** A compiled path glob. */
export interface Glob {
  /** Whether the whole path matches; in time linear in the path. */
  test(path: string): boolean
  /** The same as a regular expression without lookaround or back-references, so RE2 reads it too. */
  readonly source: string
}

/**
 * Compiles a glob. `/a/**` matches `/a`, `/a/` and everything below; `/a/*` and `/a/{name}` one
 * non-empty segment below; every other character is literal.
 */
export const compileGlob = (glob: string): Glob => {
  const segments = segmentsOf(glob).map((segment) => (NAMED.test(segment) ? '*' : segment))
  const source = `^${segments.map(segmentSource).join('')}$`
  const expression = new RegExp(source, 's')
  return {
    source,
    test: hasOneChoice(segments) ? (path) => expression.test(path) : stepwise(segments),
  }
}

/** The segments of a glob, without the empty one before the first slash. */
export const segmentsOf = (glob: string): readonly string[] => glob.split('/').slice(1)

/** A segment with a name, such as CEL can write after a dot. */
const NAMED = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/

/**
 * The glob for paths as they are sent, percent-encoded (RFC 3986 §2.1). It compares bytes: a character that need not
 * be encoded, or hexadecimal digits in lower case, make a path another one.
 */
export const encodedGlob = (glob: string): string =>
  glob
    .split('/')
    .map((segment) => (NAMED.test(segment) ? '*' : encodeURI(segment.toWellFormed())))
    .join('/')

/** The names of a glob's segments, in order; those of one behind `**` too. */
export const segmentNames = (glob: string): readonly string[] =>
  segmentsOf(glob).flatMap((segment) => NAMED.exec(segment)?.slice(1) ?? [])

/** The values of the named segments of the first glob that matches the path; empty without one. */
export type SegmentReader = (path: string) => ReadonlyMap<string, string>

const NO_SEGMENTS: ReadonlyMap<string, string> = new Map()

/**
 * Makes a reader of named segments. A glob has at most one `**` together with names, so that each name has
 * one place: counted from the front before it, from the end behind it.
 */
export const namedSegments = (globs: readonly string[]): SegmentReader => {
  const readers = globs.map((glob) => {
    const compiled = compileGlob(glob)
    const segments = segmentsOf(glob)
    const rest = segments.indexOf('**')
    const places = segments.flatMap((segment, index) => {
      const name = NAMED.exec(segment)?.[1]
      if (name === undefined) return []
      return [{ name, at: rest === -1 || index < rest ? index : index - segments.length }]
    })
    return { compiled, places }
  })
  return (path) => {
    const reader = readers.find(({ compiled }) => compiled.test(path))
    if (reader === undefined) return NO_SEGMENTS
    const found = segmentsOf(path)
    return new Map(reader.places.map(({ name, at }) => [name, found.at(at) ?? '']))
  }
}

const segmentSource = (segment: string): string => {
  if (segment === '**') return '(/.*)?'
  if (segment === '*') return '/[^/]+'
  return `/${segment.split(STARS).map(escapeLiteral).join('[^/]*')}`
}

const STARS = /\*+/

// RegExp.escape writes \x2d and the like for some characters, which RE2 reads as well, but the
// generated Envoy configuration is read by operators too.
const escapeLiteral = (text: string): string =>
  text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)

// Whether backtracking has one thing to try at a time. With two (`/**/a/**/b`, `/a*b*c`) the time
// that a regular expression takes grows with the square of the path or worse: a path of 60 KB,
// which Envoy passes on, kept `/x*a*a*b` busy for 23 s.
const hasOneChoice = (segments: readonly string[]): boolean =>
  segments.filter((segment) => segment === '**').length <= 1 &&
  segments.every((segment) => segment.split(STARS).length <= 2)

type Matcher = (text: string) => boolean

/**
 * The same without backtracking: the text between two wildcards is taken where it first occurs,
 * since any later place would leave less for the rest.
 */
const stepwise = (segments: readonly string[]): Matcher => {
  const runs: Matcher[][] = [[]]
  for (const segment of segments) {
    if (segment === '**') runs.push([])
    else runs.at(-1)?.push(segmentMatcher(segment))
  }
  return (path) => (path === '' || path.startsWith('/')) && matchRuns(runs, segmentsOnce(path))
}

interface SplitPath {
  readonly path: string
  readonly segments: readonly string[]
}

// One request meets the globs of many rules one after the other, with its path and with its careless reading in turn.
let latest: SplitPath = { path: '', segments: [] }
let earlier = latest

const segmentsOnce = (path: string): readonly string[] => {
  if (latest.path === path) return latest.segments
  const known = earlier.path === path ? earlier : { path, segments: segmentsOf(path) }
  earlier = latest
  latest = known
  return known.segments
}

const matchRuns = (runs: readonly (readonly Matcher[])[], segments: readonly string[]): boolean => {
  const first = runs[0] ?? []
  if (runs.length === 1) return first.length === segments.length && matchAt(first, segments, 0)
  const last = runs.at(-1) ?? []
  const end = segments.length - last.length
  let from = first.length
  if (from > end || !matchAt(first, segments, 0) || !matchAt(last, segments, end)) return false
  for (const run of runs.slice(1, -1)) {
    while (from + run.length <= end && !matchAt(run, segments, from)) from += 1
    from += run.length
    if (from > end) return false
  }
  return true
}

const matchAt = (run: readonly Matcher[], segments: readonly string[], at: number): boolean =>
  run.every((matches, index) => matches(segments[at + index] ?? ''))

const segmentMatcher = (segment: string): Matcher =>
  segment === '*' ? (text) => text !== '' : wildcardMatcher(segment)

/** Whether a whole text matches, where `*` matches any run of characters; in linear time. */
export const wildcardMatcher = (pattern: string): Matcher => {
  const parts = pattern.split(STARS)
  if (parts.length === 1) return (text) => text === pattern
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  const between = parts.slice(1, -1)
  return (text) => {
    const end = text.length - last.length
    let from = first.length
    if (from > end || !text.startsWith(first) || !text.endsWith(last)) return false
    for (const part of between) {
      const at = text.indexOf(part, from)
      if (at === -1) return false
      from = at + part.length
    }
    return from <= end
  }
}

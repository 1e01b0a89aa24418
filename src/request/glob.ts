// Path globs: `*` is one segment or a part of one, `**` any number of segments.

/** A compiled path glob. */
export interface Glob {
  /** Whether the whole path matches. */
  test(path: string): boolean
  /** The same as a regular expression without lookaround or back-references, so RE2 reads it too. */
  readonly source: string
}

/**
 * Compiles a glob. `/a/**` matches `/a`, `/a/` and everything below; `/a/*` one non-empty segment
 * below; everything else stands for itself. Matching takes time linear in the path for each `*`.
 */
export const compileGlob = (glob: string): Glob => {
  const source = `^${glob.split('/').slice(1).map(segmentSource).join('')}$`
  const expression = new RegExp(source, 's')
  return { source, test: (path) => expression.test(path) }
}

const segmentSource = (segment: string): string => {
  if (segment === '**') return '(/.*)?'
  if (segment === '*') return '/[^/]+'
  return `/${segment.split(/\*+/).map(escapeLiteral).join('[^/]*')}`
}

// RegExp.escape writes \x2d and the like for some characters, which RE2 reads as well, but the
// generated Envoy configuration is for people too.
const escapeLiteral = (text: string): string =>
  text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)

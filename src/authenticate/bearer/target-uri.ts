// The URI of a request in the normal form by which a DPoP proof is compared (RFC 3986 §6.2.2 and §6.2.3). Equal forms
// are one resource; URIs that may differ remain different.

/** The parts of a URI that a proof refers to. */
export interface TargetUri {
  /** Scheme, host and port, all in lower case and without the scheme's own port (RFC 6454 §6.2). */
  readonly origin: string
  /** Normalised; see {@link normalPath}. */
  readonly path: string
}

// RFC 9449 §4.2: without query and fragment. RFC 9110 §4.2.4: userinfo before the host is deprecated, and misleads.
const URI = /^(https?):\/\/([^/?#@]+)(\/[^?#]*)?$/i
// Without the flag "u", so that "i" folds ASCII only. As the host of a request is read: names are not decoded, and a
// trailing dot is ignored.
const AUTHORITY = /^([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::([1-9]\d{0,4})?)?$/i

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['https', '443'],
  ['http', '80'],
])

/** Reads an absolute `http` or `https` URI without query and fragment; else `undefined`. */
export const readTargetUri = (text: string): TargetUri | undefined => {
  const [, scheme = '', authority = '', rawPath = '/'] = URI.exec(text) ?? []
  const [, host, port] = AUTHORITY.exec(authority) ?? []
  const path = normalPath(rawPath)
  if (host === undefined || path === undefined) return undefined
  const lowered = scheme.toLowerCase()
  const suffix = port === undefined || port === DEFAULT_PORTS.get(lowered) ? '' : `:${port}`
  return { origin: `${lowered}://${host.toLowerCase()}${suffix}`, path }
}

// Nothing to decode and no dot segments.
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$))[\w\-.~!$&'()*+,;=:@]*)+$/
// Some readers treat a backslash as a slash.
const VISIBLE = /^[\x21-\x5b\x5d-\x7e]*$/
const STRAY_PERCENT = /%(?![0-9a-f]{2})/i
const UNRESERVED = /^[\w\-.~]$/

/**
 * A path, still percent-encoded, in its normal form: only unreserved characters are decoded, hexadecimal digits are
 * upper case, dot segments are resolved. So `%3B` is not `;`, and a trailing slash is significant. `undefined` for
 * text that is not a path.
 */
export const normalPath = (raw: string): string | undefined => {
  if (PLAIN.test(raw)) return raw
  if (!raw.startsWith('/') || !VISIBLE.test(raw) || STRAY_PERCENT.test(raw)) return undefined
  const decoded = raw.replaceAll(/%[0-9a-f]{2}/gi, (triplet) => {
    const character = String.fromCodePoint(Number.parseInt(triplet.slice(1), 16))
    return UNRESERVED.test(character) ? character : triplet.toUpperCase()
  })
  return resolveDots(decoded)
}

/** RFC 3986 §5.2.4, for a path that begins with a slash. */
const resolveDots = (path: string): string => {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..'
    if (segment === '..') kept.pop()
    if (!isDots) kept.push(segment)
    else if (index === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}

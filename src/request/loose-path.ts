// A path as the most careless of services would read it. What is refused by its path must not get
// through because the upstream is such a service.

import type { Request } from './request.ts'

/**
 * The path without letter case, path parameters (RFC 3986 §3.3), empty segments and a slash at the
 * end, in one of the forms that Unicode holds to be the same (NFKC). In time linear in the path.
 *
 * @param path as {@link readPath} gives it; beginning with a slash
 */
export const loosePath = (path: string): string =>
  PLAIN.test(path) ? path : `/${looseSegments(path).join('/')}`

// Every rule that refuses by path asks, and callers choose how long it is. To look at a short one again takes less than
// to remember it.
const SHORT = 128
const remembered = new WeakMap<Request, string>()

/** The path of a request, read so; computed once. */
export const loosePathOf = (request: Request): string => {
  if (request.path.length <= SHORT && PLAIN.test(request.path)) return request.path
  const known = remembered.get(request)
  if (known !== undefined) return known
  const path = loosePath(request.path)
  remembered.set(request, path)
  return path
}

/** The segments of a path or a part of one, read so. */
export const looseSegments = (path: string): readonly string[] =>
  withoutParameters(fold(path))
    .split('/')
    .filter((segment) => segment !== '')

// Most paths: nothing to fold, nothing to drop.
const PLAIN = /^(?:\/|(?:\/[!-.0-:<-@[-~]+)+)$/

const withoutParameters = (path: string): string =>
  path.includes(';') ? path.replaceAll(/;[^/]*/g, '') : path

// eslint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\0-\x7f]*$/

/** One form of all that differs in case or in form only: "ß" and "SS", a long s, the Kelvin sign, "İ" and "i". */
export const fold = (text: string): string =>
  ASCII.test(text)
    ? text.toLowerCase()
    : // Up, then down: some characters have several of one kind. A capital I with a dot (U+0130) becomes an i and a
      // dot; Java's equalsIgnoreCase takes it for an i.
      text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('i\u0307', 'i')

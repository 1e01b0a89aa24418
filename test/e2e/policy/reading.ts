// How an upstream could read a path: as it is written, and as careless ones do. Written without the code
// under test, so that what arrives can be compared with what was judged.

/** An operation, as a router knows it. */
export interface Routed {
  readonly id: string
  readonly method: string
  readonly template: string
}

type Step = (path: string) => string

const decoded: Step = (path) => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** RFC 3986 §5.2.4, and nothing else. */
const withoutDots: Step = (path) => {
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** In the order in which servers do them; each may or may not. */
const STEPS: readonly Step[] = [
  decoded,
  decoded, // a second time
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  withoutDots,
  (path) => path.replace(/(.)\/$/, '$1'),
]

/** Every reading of a path, once. */
const readingsOf = (path: string): ReadonlySet<string> =>
  STEPS.reduce(
    (readings, step) => new Set([...readings, ...[...readings].map(step)]),
    new Set([path]),
  )

/**
 * The operations that a service could take a request for, of which each reading chooses the most
 * specific, with and without regard to letter case. Those of a path that no reading takes: none.
 */
export const operationsReadIn = (
  operations: readonly Routed[],
  method: string,
  path: string,
): ReadonlySet<string> => {
  const candidates = operations
    .filter((operation) => operation.method === method)
    .toSorted((one, other) => (generality(one) < generality(other) ? -1 : 1))
  const found = new Set<string>()
  for (const reading of readingsOf(path)) {
    for (const flags of ['', 'i']) {
      const first = candidates.find(({ template }) => routeOf(template, flags).test(reading))
      if (first !== undefined) found.add(first.id)
    }
  }
  return found
}

/** Sorts what is more specific first: a literal before a part of a segment before a whole one. */
const generality = ({ template }: Routed): string =>
  template
    .split('/')
    .map((segment) => (!segment.includes('{') ? '0' : /^\{[^{}]*\}$/.test(segment) ? '2' : '1'))
    .join('')

const routes = new Map<string, RegExp>()

const routeOf = (template: string, flags: string): RegExp => {
  const key = `${flags} ${template}`
  const known = routes.get(key)
  if (known !== undefined) return known
  const source = template
    .split(/\{[^{}]*\}/)
    .map((literal) => RegExp.escape(literal))
    .join('[^/]+')
  const route = new RegExp(`^${source}$`, flags)
  routes.set(key, route)
  return route
}

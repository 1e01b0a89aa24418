// One path template, segment by segment: what fits it, and which of two that fit is more specific.
// Callers choose the paths, so nothing here takes longer than the path is long.

import { faultAt } from './value.ts'

/** One segment of a template. */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  /** `{id}.json`, `{base}...{head}`: what is around and between parameters is `literals`. */
  | {
      readonly kind: 'mixed'
      readonly literals: readonly string[]
      readonly names: readonly string[]
    }
  /** `{id}`: one segment that is not empty. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** The last `{path}` of a template that is open-ended: one segment or more. */
  | { readonly kind: 'rest'; readonly name: string }

// Of GitHub's, the longest has 129 characters.
const LONGEST = 4096

/**
 * The segments of a template, literals percent-decoded as the paths of requests are.
 *
 * @param openEnded whether the last segment, a parameter, takes any number of segments
 * @throws CountersignError `malformed-openapi`: braces that do not pair up, or a path that no request
 *   can have
 */
export const parseTemplate = (template: string, openEnded: boolean): readonly Segment[] => {
  const fault = (message: string): Error => faultAt(['paths', template], message)
  if (template.length > LONGEST) throw fault(`longer than ${LONGEST} characters`)
  if (pathOf(template).includes('\\')) throw fault('a backslash is in no path of a request')
  const texts = pathOf(template).split('/').slice(1)
  return texts.map((text, index) => {
    const isLast = index === texts.length - 1
    if (text === '' && !isLast) throw fault('"//" is in no path that a request can have')
    const segment = parseSegment(text, fault)
    if (openEnded && isLast && segment.kind === 'parameter') {
      return { kind: 'rest', name: segment.name }
    }
    return segment
  })
}

// RFC 6570 has them within braces, too: `{?page}`.
const BEHIND_PATH = /(?:\{[?&#]|[?#]).*$/s

const pathOf = (template: string): string => template.replace(BEHIND_PATH, '')

/**
 * Whether a template has more than a path: a query or a fragment. OpenAPI knows no such templates, and
 * some documents use them to have several operations at one path (`/#Action=List`).
 */
export const hasMoreThanPath = (template: string): boolean => BEHIND_PATH.test(template)

const parseSegment = (text: string, fault: (message: string) => Error): Segment => {
  const literals: string[] = []
  const names: string[] = []
  let rest = text
  for (let open = rest.indexOf('{'); open !== -1; open = rest.indexOf('{')) {
    const close = rest.indexOf('}', open)
    const name = rest.slice(open + 1, close)
    if (close === -1 || name === '' || name.includes('{')) {
      throw fault(`${JSON.stringify(text)}: "{" and "}" must enclose the name of a parameter`)
    }
    literals.push(literalOf(rest.slice(0, open), fault))
    names.push(name)
    rest = rest.slice(close + 1)
  }
  literals.push(literalOf(rest, fault))
  const [first = ''] = literals
  const [name] = names
  if (name === undefined) {
    if (first === '.' || first === '..') throw fault('"." and ".." are in no path of a request')
    return { kind: 'literal', text: first }
  }
  const isBare = names.length === 1 && literals.every((literal) => literal === '')
  return isBare ? { kind: 'parameter', name } : { kind: 'mixed', literals, names }
}

const literalOf = (text: string, fault: (message: string) => Error): string => {
  if (text.includes('}')) throw fault(`${JSON.stringify(text)}: a "}" without its "{"`)
  let literal: string
  try {
    literal = decodeURIComponent(text)
  } catch {
    throw fault(`${JSON.stringify(text)} is not percent-encoded UTF-8`)
  }
  if (/[/\\\0]/.test(literal)) throw fault('an encoded slash, backslash or NUL is refused')
  return literal
}

/**
 * What a segment's text gives the parameters of a mixed segment, or `undefined` where it does not
 * fit. Where it can be divided in more than one way (`a-b-c` for `{x}-{y}`), no value is sure:
 * `ambiguous`.
 */
export const divide = (
  { literals }: Extract<Segment, { kind: 'mixed' }>,
  text: string,
): readonly string[] | 'ambiguous' | undefined => {
  const head = literals[0] ?? ''
  const tail = literals.at(-1) ?? ''
  if (text.length < head.length + tail.length + 1) return undefined
  if (!text.startsWith(head) || !text.endsWith(tail)) return undefined
  const inner = text.slice(head.length, text.length - tail.length)
  const between = literals.slice(1, -1)
  if (between.length === 0) return [inner]
  // `{id}{extension}`: where the first ends, and whether the second may be empty, is not said.
  if (between.includes('')) return 'ambiguous'
  const earliest = divideAtFirst(between, inner)
  if (earliest === undefined) return undefined
  const latest = divideAtLast(between, inner)
  const isOne = latest?.every((part, index) => part === earliest[index])
  return isOne === true ? earliest : 'ambiguous'
}

/** Each part but the last as short as it can be; none is empty. */
const divideAtFirst = (between: readonly string[], text: string): readonly string[] | undefined => {
  const parts: string[] = []
  let from = 0
  for (const literal of between) {
    const at = text.indexOf(literal, from + 1)
    if (at === -1) return undefined
    parts.push(text.slice(from, at))
    from = at + literal.length
  }
  return from >= text.length ? undefined : [...parts, text.slice(from)]
}

/** The same from the other end. */
const divideAtLast = (between: readonly string[], text: string): readonly string[] | undefined => {
  const parts: string[] = []
  let to = text.length
  for (const literal of between.toReversed()) {
    const last = to - 1 - literal.length
    const at = last < 1 ? -1 : text.lastIndexOf(literal, last)
    if (at < 1) return undefined
    parts.push(text.slice(at + literal.length, to))
    to = at
  }
  return [...parts, text.slice(0, to)].toReversed()
}

// Represents any value of a parameter; no segment of a path holds it.
const ANYTHING = '/'

/** Whether every path that fits `special` in this place also fits `general`. */
const covers = (general: Segment, special: Segment): boolean => {
  switch (general.kind) {
    case 'rest':
      return true
    case 'parameter':
      return special.kind !== 'rest'
    case 'literal':
      return special.kind === 'literal' && special.text === general.text
    case 'mixed':
      if (special.kind === 'literal') return divide(general, special.text) !== undefined
      return (
        special.kind === 'mixed' && divide(general, special.literals.join(ANYTHING)) !== undefined
      )
  }
}

/**
 * Whether the first of two templates that fit one path is at least as specific as the second in
 * every place: a literal is more so than `{id}.json`, that more than `{id}`, and that more than an
 * open end. Two templates of which neither is have no order, and a router may take either.
 */
export const isAsSpecific = (one: readonly Segment[], other: readonly Segment[]): boolean =>
  other.every((general, index) => {
    const special = one[index]
    return special === undefined ? general.kind === 'rest' : covers(general, special)
  })

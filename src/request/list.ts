// Elements of lists in header values (`a; b`, `a, b`), found by how they begin. Callers choose how many there are, so
// the rest is skipped without a copy of each.

/** An element of a list, without the blanks around it. */
interface Element {
  readonly text: string
  /** Its position in the list, blanks included: up to the separators, or the ends. */
  readonly from: number
  readonly to: number
}

/**
 * The elements that begin with a text, in their order; in time linear in the list.
 *
 * @param start neither empty nor with a separator or blank in it
 */
export const elementsBeginning = (
  list: string,
  separator: ',' | ';',
  start: string,
): readonly Element[] => {
  const found: Element[] = []
  let next = 0
  for (let at = list.indexOf(start); at !== -1; at = list.indexOf(start, next)) {
    next = at + start.length
    let from = at
    while (isBlank(list.charCodeAt(from - 1))) from -= 1
    if (from > 0 && list[from - 1] !== separator) continue // in the middle of another element
    const end = list.indexOf(separator, next)
    next = end === -1 ? list.length : end
    found.push({ text: list.slice(at, next).trimEnd(), from, to: next })
  }
  return found
}

/**
 * The list without these of its elements, joined by the separator and a space; the text between them
 * is unchanged, except for blanks and empty elements at its ends.
 */
export const withoutElements = (
  list: string,
  separator: ',' | ';',
  elements: readonly Element[],
): string => {
  const kept: string[] = []
  const keep = (from: number, to: number): void => {
    let [first, last] = [from, to]
    const isIdle = (at: number): boolean => list[at] === separator || isBlank(list.charCodeAt(at))
    while (first < last && isIdle(first)) first += 1
    while (first < last && isIdle(last - 1)) last -= 1
    if (first < last) kept.push(list.slice(first, last))
  }
  let from = 0
  for (const element of elements) {
    keep(from, element.from)
    from = element.to
  }
  keep(from, list.length)
  return kept.join(`${separator} `)
}

// What `trim` removes of bytes read as latin1. NaN, the code before the first byte, is not blank.
const isBlank = (code: number): boolean =>
  code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0

// The selectors of a list, read as the API server reads them (apimachinery v0.37.2, pkg/fields and
// pkg/labels), as far as the name among its attributes depends on them. Nothing is selected here.

const NAME_FIELD = 'metadata.name'

/**
 * The one name that a field selector requires (`metadata.name=x`). Empty where it requires none,
 * cannot be parsed, or requires a value that cannot be a path segment: there the API server knows no name.
 * `undefined` where it requires two: the API server takes the one that sorts first, and few other servers would.
 */
export const nameRequiredBy = (fieldSelector: string): string | undefined => {
  if (!fieldSelector.includes(NAME_FIELD)) return ''
  const required = new Set<string>()
  for (const text of splitTerms(fieldSelector)) {
    if (text === '') continue
    const term = readTerm(text)
    if (term === undefined) return ''
    if (term.field === NAME_FIELD && !term.negated) required.add(term.value)
  }
  if (required.size > 1) return undefined
  const [name = ''] = required
  return isPathSegmentName(name) ? name : ''
}

// apimachinery, pkg/api/validate/content/path.go.
const isPathSegmentName = (name: string): boolean =>
  name !== '.' && name !== '..' && !name.includes('/') && !name.includes('%')

/** Splits at commas that no backslash escapes; the escapes stay. */
const splitTerms = (selector: string): readonly string[] => {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < selector.length; at += 1) {
    const character = selector[at]
    if (character === '\\') at += 1
    else if (character === ',') {
      terms.push(selector.slice(start, at))
      start = at + 1
    }
  }
  terms.push(selector.slice(start))
  return terms
}

interface Term {
  readonly field: string
  readonly negated: boolean
  readonly value: string
}

/** `field=value`, `field==value` or `field!=value`. In a field nothing can be escaped. */
const readTerm = (text: string): Term | undefined => {
  const sign = text.indexOf('=')
  if (sign === -1) return undefined
  const negated = text[sign - 1] === '!'
  const value = unescapeValue(text.slice(!negated && text[sign + 1] === '=' ? sign + 2 : sign + 1))
  return value === undefined
    ? undefined
    : { field: text.slice(0, negated ? sign - 1 : sign), negated, value }
}

const unescapeValue = (text: string): string | undefined => {
  if (!/[\\,=]/.test(text)) return text
  const unescaped = text.replaceAll(/\\[\\,=]/g, '')
  return /[\\,=]/.test(unescaped) ? undefined : text.replaceAll(/\\([\\,=])/g, '$1')
}

const TOKEN = /([^ =!(),<>]+|==|!=|[=!(),]) */y
const KEY_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/
const LONGEST_PREFIX = 253

/**
 * Whether the API server surely parses a label selector: in doubt `false`. Not taken are `<` and
 * `>`, empty values in a list, and white space other than blanks, which it does take.
 */
export const isLabelSelector = (text: string): boolean => {
  const tokens = readTokens(text)
  if (tokens === undefined) return false
  let at = 0
  while (at < tokens.length) {
    const end = endOfRequirement(tokens, at)
    if (end === undefined) return false
    if (end === tokens.length) return true
    // What follows a comma is one more requirement.
    if (tokens[end] !== ',' || end + 1 === tokens.length) return false
    at = end + 1
  }
  return true
}

const readTokens = (text: string): readonly string[] | undefined => {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (text[TOKEN.lastIndex] === ' ') TOKEN.lastIndex += 1
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) return undefined
    tokens.push(match[1] ?? '')
  }
  return tokens
}

/** `key`, `!key`, `key=value` or `key in (a,b)`: the index behind it. */
const endOfRequirement = (tokens: readonly string[], start: number): number | undefined => {
  if (tokens[start] === '!') return isLabelKey(tokens[start + 1]) ? start + 2 : undefined
  if (!isLabelKey(tokens[start])) return undefined
  const next = tokens[start + 1]
  if (next === undefined || next === ',') return start + 1
  if (next === '=' || next === '==' || next === '!=') {
    const value = tokens[start + 2]
    if (value === undefined || value === ',') return start + 2
    return KEY_NAME.test(value) ? start + 3 : undefined
  }
  if ((next !== 'in' && next !== 'notin') || tokens[start + 2] !== '(') return undefined
  for (let at = start + 3; KEY_NAME.test(tokens[at] ?? ''); at += 2) {
    if (tokens[at + 1] === ')') return at + 2
    if (tokens[at + 1] !== ',') return undefined
  }
  return undefined
}

const isLabelKey = (text: string | undefined): boolean => {
  if (text === undefined) return false
  const slash = text.indexOf('/')
  const prefix = text.slice(0, Math.max(slash, 0))
  return (
    KEY_NAME.test(text.slice(slash + 1)) &&
    (slash === -1 ||
      (prefix.length <= LONGEST_PREFIX &&
        prefix.split('.').every((label) => DNS_LABEL.test(label))))
  )
}

// The query of a list as the API server reads it: Go's `url.ParseQuery`, then the decoding of
// `ListOptions` (apimachinery v0.37.2, pkg/apis/meta). What Go drops without a word is refused here.

import { isLabelSelector, nameRequiredBy } from './selectors.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** What the attributes of a list, a watch or a deletion of many depend on. */
export interface ListQuery {
  /** A watch and not a list. */
  readonly watch: boolean
  /** What the field selector requires as `metadata.name`; empty where it requires none. */
  readonly name: string
  /** Decoded and not parsed; empty where there is none. */
  readonly fieldSelector: string
  readonly labelSelector: string
}

const NAMES = ['limit', 'watch', 'fieldSelector', 'labelSelector', 'timeoutSeconds'] as const

type Name = (typeof NAMES)[number]
type Parameters = { readonly [name in Name]?: string }

const NOTHING: ListQuery = { watch: false, name: '', fieldSelector: '', labelSelector: '' }

// To Go 1.26 a query of more than 10,000 parameters is an empty one; to earlier ones it is not.
const MOST_PARAMETERS = 1000
// Nothing to decode, to drop or to take for a blank.
const PLAIN = /^[\w\-.~!$'()*,:@/?=&]*$/
const ASCII = /^[\0-\x7f]*$/

/**
 * Reads the query of a list. `undefined` where two readers could differ: a `;` or a stray `%`, with
 * which Go drops the parameter, one given twice with two meanings, control characters, two names.
 */
export const readListQuery = (query: string): ListQuery | undefined => {
  if (query === '') return NOTHING
  const parameters = readParameters(query)
  if (parameters === undefined) return undefined
  const { watch, fieldSelector = '', labelSelector = '' } = parameters
  const name = readName(parameters)
  if (name === undefined) return undefined
  return { watch: watch !== undefined && isTrue(watch), name, fieldSelector, labelSelector }
}

const readParameters = (query: string): Parameters | undefined => {
  const plain = PLAIN.test(query)
  if (!plain && query.includes(';')) return undefined
  const parts = query.split('&', MOST_PARAMETERS + 1)
  if (parts.length > MOST_PARAMETERS) return undefined
  const parameters: { [name in Name]?: string } = {}
  for (const part of parts) {
    const sign = part.indexOf('=')
    const key = sign === -1 ? part : part.slice(0, sign)
    const text = sign === -1 ? '' : part.slice(sign + 1)
    const name = plain ? key : decode(key)
    const value = plain ? text : decode(text)
    if (name === undefined || value === undefined) return undefined
    if (!isName(name)) continue
    const earlier = parameters[name]
    if (earlier === undefined) parameters[name] = value
    else if (!meansTheSame(name, earlier, value)) return undefined
    // Go folds "ſ" to "s" in one place and not in the other.
    if (name === 'watch' && !ASCII.test(value)) return undefined
  }
  return parameters
}

const isName = (text: string): text is Name => NAMES.some((name) => name === text)

const decode = (text: string): string | undefined => {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return hasControlCharacter(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}

const meansTheSame = (name: Name, first: string, second: string): boolean => {
  switch (name) {
    case 'watch':
      return isTrue(first) === isTrue(second)
    case 'fieldSelector':
    case 'labelSelector':
      return first === second
    case 'limit':
    case 'timeoutSeconds':
      return true
  }
}

// apimachinery, pkg/runtime/conversion.go: Convert_Slice_string_To_bool; also what is empty is true.
const isTrue = (value: string): boolean => value !== '0' && value.toLowerCase() !== 'false'

/** The name, which the API server knows only where every option can be decoded. */
const readName = (parameters: Parameters): string | undefined => {
  const { fieldSelector = '', labelSelector = '', limit = '0', timeoutSeconds = '0' } = parameters
  const name = nameRequiredBy(fieldSelector)
  if (name === undefined || name === '') return name
  if (!isInteger(limit) || !isInteger(timeoutSeconds)) return ''
  return isLabelSelector(labelSelector) ? name : undefined
}

// In this form a long run of zeros is read once.
const INTEGER = /^[-+]?(?=\d)0*([1-9]\d{0,18})?$/
const LARGEST = 2n ** 63n - 1n

/** Go's `strconv.ParseInt(text, 10, 64)`. */
const isInteger = (text: string): boolean => {
  const match = INTEGER.exec(text)
  if (match === null) return false
  const largest = text.startsWith('-') ? LARGEST + 1n : LARGEST
  return BigInt(match[1] ?? 0) <= largest
}

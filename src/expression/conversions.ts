// Conversions of CEL (cel-spec, "Type Conversions") that the library has in JavaScript's way: there an empty
// text is 0, and `0b11` is 3.

import { fail } from './ranges.ts'

/**
 * What a conversion yields, where it is corrected here; `undefined` leaves it to the library.
 *
 * @throws EvaluationError for a value that CEL does not convert
 */
export const convert = (name: string, value: unknown): unknown => {
  if (typeof value === 'string') {
    const form = FORMS.get(name)
    if (form !== undefined && !form.test(value)) throw fail(`${name}_conversion_error`)
  }
  if (name === 'int' && typeof value === 'number' && !(Math.abs(value) < 2 ** 63)) {
    throw fail('numeric_overflow')
  }
  if (name === 'uint' && typeof value === 'number' && !(value >= 0 && value < 2 ** 64)) {
    throw fail('numeric_overflow')
  }
  return name === 'string' && value instanceof Uint8Array ? decoded(value) : undefined
}

// Go's strconv.ParseInt and ParseUint of base 10, and ParseFloat without hexadecimal.
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['int', /^[+-]?\d+$/],
  ['uint', /^\d+$/],
  ['double', /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)$/i],
])

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const decoded = (bytes: Uint8Array): string => {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw fail('string_conversion_error')
  }
}

// Untrusted text, made safe for a terminal.

import { replaceUnprintable } from '../runtime/text.ts'

/** The text with a `?` in place of each character that is unsafe for a terminal. */
export const printable = (text: string): string => replaceUnprintable(text, '?')

/**
 * JSON in which such characters are escaped.
 *
 * @param indent as for `JSON.stringify`; default: all on one line
 */
export const printableJson = (
  value: unknown,
  indent?: number,
  replacer?: (key: string, value: unknown) => unknown,
): string =>
  replaceUnprintable(JSON.stringify(value, replacer, indent), (character) =>
    character === '\n' ? character : escaped(character),
  )

const escaped = (character: string): string =>
  [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('')

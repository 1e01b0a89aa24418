// Text that others wrote, made fit for a terminal.

// Control characters (escape sequences, line feeds), and what changes the direction or the look of
// the text around it.
const UNFIT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The text with a `?` for each character that a terminal would not just show. */
export const printable = (text: string): string => text.replaceAll(UNFIT, '?')

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
  JSON.stringify(value, replacer, indent).replaceAll(UNFIT, (character) =>
    character === '\n' ? character : escaped(character),
  )

const escaped = (character: string): string =>
  [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('')

// Makes untrusted text safe to print, and bounds its length.

// Cc: C0, DEL and C1, such as line feeds and escape sequences.
const CONTROL = /\p{Cc}/u

// Controls, and what changes the direction or the look of the text around it: format characters (Cf), line and
// paragraph separators.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Whether the text has a control character. */
export const hasControlCharacter = (text: string): boolean => CONTROL.test(text)

/**
 * Replaces each character that a terminal obeys or hides instead of showing it.
 *
 * @param replacement a text, or a function of the character
 */
export const replaceUnprintable = (
  text: string,
  replacement: string | ((character: string) => string),
): string =>
  typeof replacement === 'string'
    ? text.replaceAll(UNPRINTABLE, replacement)
    : text.replaceAll(UNPRINTABLE, replacement)

/** The text, or its first `longest` UTF-16 units as well-formed Unicode and a mark where there were more. */
export const cutText = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest).toWellFormed()}…` : text

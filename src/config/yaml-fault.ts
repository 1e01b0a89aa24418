// What is wrong with a text that is not YAML, and what to write. One slip makes the library report what follows
// from it, too: the first fault alone says where to look.

import type { YAMLError } from 'yaml'

/** The label of a text that begins as PEM (RFC 7468 §2); `undefined` for any other text. */
export const pemLabel = (text: string): string | undefined =>
  /^\s*-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1]

/** The message for a fault that the library found. */
export const faultText = (error: YAMLError, text: string): string => {
  const rest = text.slice(error.pos[0], text.indexOf('\n', error.pos[0]) >>> 0)
  const hint = hintFor(error, rest, lineBefore(text, error.pos[0]))
  return hint ?? withoutPlace(error.message)
}

const hintFor = ({ code, message }: YAMLError, rest: string, before: string): string | undefined => {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line: YAML is indented with spaces alone'
    case 'UNEXPECTED_TOKEN':
      return tokenHint(rest, before)
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " in a value, or a line that is indented further than its neighbours: put a value that contains ": " in quotes'
    case 'BAD_SCALAR_START':
      return `a value cannot begin with "${rest.slice(0, 1)}": put it in quotes`
    case 'MULTILINE_IMPLICIT_KEY':
      return 'is no "key: value": a colon with a blank after it is missing, or the line is indented wrongly'
    case 'BLOCK_IN_FLOW':
      return 'a comma is missing between two entries, or a bracket before them'
    case 'BAD_INDENT':
      return indentHint(message)
    case 'MISSING_CHAR':
      return message.includes('closing') ? 'a quote is not closed' : undefined
    case 'TAG_RESOLVE_FAILED':
      return 'a value that begins with "!" is read as a tag of YAML: put it in quotes'
    case 'MULTIPLE_DOCS':
      return 'a second document begins here ("---"): a file holds one'
    default:
      return undefined
  }
}

const tokenHint = (rest: string, before: string): string | undefined => {
  if (/^[[{]/.test(rest)) {
    return `"${rest.slice(0, 1)}" after a value: inside "{ … }" and "[ … ]", put a value that contains brackets or commas in quotes`
  }
  if (/["']\s*$/.test(before)) {
    return 'text after a closing quote: put the whole value in quotes of the other kind'
  }
  return /^[\]}]/.test(rest) ? `"${rest.slice(0, 1)}" closes nothing that is open` : undefined
}

const indentHint = (message: string): string =>
  message.startsWith('Flow')
    ? 'the brackets of an earlier line are not closed, or this line is not indented further than their key'
    : 'this line is not indented as its neighbours are'

const lineBefore = (text: string, offset: number): string =>
  text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)

/** The library ends its message with the place, which is before it here, and an excerpt of the text. */
const withoutPlace = (message: string): string =>
  message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? ''

// What is wrong with a text that is not YAML, and what to write. One slip makes the library report what follows
// from it, too: the first fault alone says where to look.

import { visit, type Document, type YAMLError } from 'yaml'

/** The offset to report a fault at. A quote that is not closed is found at the end of the text. */
export const faultOffset = ({ code, message, pos }: YAMLError, document: Document): number => {
  if (code !== 'MISSING_CHAR' || !message.includes('closing')) return pos[0]
  let offset = pos[0]
  visit(document, {
    Scalar(_key, { type, range }) {
      if (type?.startsWith('QUOTE') === true && range && range[1] >= pos[0]) offset = range[0]
    },
  })
  return offset
}

/** The message for a fault that the library found. */
export const faultText = (error: YAMLError, text: string): string => {
  const rest = text.slice(error.pos[0], text.indexOf('\n', error.pos[0]) >>> 0)
  const before = lineBefore(text, error.pos[0])
  return (
    HINTS[error.code]?.({ message: error.message, rest, before }) ?? withoutPlace(error.message)
  )
}

interface Place {
  readonly message: string
  /** The line from the fault on, and before it. */
  readonly rest: string
  readonly before: string
}

const HINTS: Partial<Record<YAMLError['code'], (place: Place) => string | undefined>> = {
  TAB_AS_INDENT: () => 'a tab indents this line: YAML is indented with spaces alone',
  UNEXPECTED_TOKEN: ({ rest, before }) => tokenHint(rest, before),
  BLOCK_AS_IMPLICIT_KEY: () =>
    'a second ": " in a value, or a line that is indented further than its neighbours: put a value that contains ": " in quotes',
  BAD_SCALAR_START: ({ rest }) =>
    `a value cannot begin with "${rest.slice(0, 1)}": put it in quotes`,
  MULTILINE_IMPLICIT_KEY: () =>
    'is not "key: value": a colon with a blank after it is missing, or the line is indented wrongly',
  BLOCK_IN_FLOW: () => 'a comma is missing between two entries, or a bracket before them',
  BAD_INDENT: ({ message }) => indentHint(message),
  MISSING_CHAR: ({ message }) => missingHint(message),
  TAG_RESOLVE_FAILED: () =>
    'a value that begins with "!" is read as a tag of YAML: put it in quotes',
  MULTIPLE_DOCS: () => 'a second document begins here ("---"): a file holds one',
}

const missingHint = (message: string): string | undefined => {
  if (message.includes('closing')) return 'the quote that opens here is not closed'
  return message.startsWith('Sequence item') ? indentHint(message) : undefined
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

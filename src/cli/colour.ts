// Colours of text output: on a terminal, or where FORCE_COLOR is set (https://force-color.org), unless NO_COLOR is
// (https://no-color.org). The help decides in the same way (commander, useColor).

import type { CommandProcess } from './context.ts'

/** The SGR code of each colour (ECMA-48 §8.3.117). */
const CODES = { red: 31, green: 32, yellow: 33, grey: 90 } as const

/** A colour of the terminal's palette. */
type Colour = keyof typeof CODES

/** Gives a text a colour, or leaves it. */
export type Paint = (colour: Colour, text: string) => string

/** What paints for a stream. */
export const paintFor = (stream: CommandProcess['stdout'], env: NodeJS.ProcessEnv): Paint =>
  isColoured(stream, env)
    ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[39m`
    : (_, text) => text

const isColoured = (stream: CommandProcess['stdout'], env: NodeJS.ProcessEnv): boolean => {
  const { NO_COLOR: none = '', FORCE_COLOR: forced = '', TERM: terminal } = env
  if (none !== '' || OFF.has(forced)) return false
  if (forced !== '') return true
  return terminal !== 'dumb' && 'isTTY' in stream && stream.isTTY === true
}

const OFF: ReadonlySet<string> = new Set(['0', 'false'])

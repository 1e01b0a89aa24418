// The terminal of the user.

import type { CommandContext } from '../context.ts'
import { hasBrowser, openBrowser } from './browser/open.ts'
import { surroundings } from './cache/place.ts'
import type { Person } from './log-in.ts'

/** Messages go to standard error: standard output is for the result of the command. */
export const atTerminal = ({ process: { env }, console }: CommandContext): Person => ({
  tell: (text) => console.error(text),
  hasBrowser: hasBrowser(surroundings(env)),
  open: async (url) => await openBrowser(url, env),
})

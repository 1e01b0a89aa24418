// The person at this terminal.

import { hasBrowser, openBrowser } from './browser/open.ts'
import { surroundings } from './cache/place.ts'
import type { Person } from './log-in.ts'

/** They read standard error: standard output is for what the command is asked for. */
export const atTerminal = (): Person => ({
  tell: (text) => console.error(text),
  hasBrowser: hasBrowser(surroundings()),
  open: openBrowser,
})

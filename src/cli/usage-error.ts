// Invalid options and input of commands.

import { CountersignError } from '../runtime/errors.ts'

/** The error `usage`: the words of a command line, or what they name, cannot be used. */
export const usageError = (message: string): CountersignError =>
  new CountersignError('usage', message)

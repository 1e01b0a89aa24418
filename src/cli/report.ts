// Reports the failure of a command.

import { ConfigurationError } from '../config/problem.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { CommandContext } from './context.ts'
import { counted } from './format.ts'

/** Prints what went wrong on standard error and sets the exit status. */
export const reportFailure = ({ process, console }: CommandContext, cause: unknown): void => {
  process.exitCode = 1
  if (cause instanceof ConfigurationError) {
    console.error(`${cause.message}\n${counted(cause.problems.length, 'problem')} found.`)
  } else if (cause instanceof CountersignError) {
    console.error(`countersign: ${cause.message}`)
  } else {
    console.error(cause) // a bug: the stack is what helps
  }
}

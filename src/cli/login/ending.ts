// Exit codes of these commands: 1 when the request failed, 2 when the options are invalid. Each failure is
// reported, since kubectl does not explain a plugin that is silent.

import { CountersignError } from '../../runtime/errors.ts'
import type { CommandContext } from '../context.ts'
import { reportFailure } from '../report.ts'

/** The exit status when the options are invalid. */
const USAGE = 2

/** Runs what a command does, and sets the exit status. */
export const ending = async (context: CommandContext, run: () => Promise<void>): Promise<void> => {
  try {
    await run()
  } catch (cause) {
    reportFailure(context, cause)
    if (cause instanceof CountersignError && cause.code === 'usage')
      context.process.exitCode = USAGE
  }
}

// Exit codes of these commands: 1 when the request failed, 2 when the options are invalid. Each failure is
// reported, since kubectl does not explain a plugin that is silent.

import type { Command } from 'commander'
import { CountersignError } from '../../runtime/errors.ts'
import { reportFailure } from '../report.ts'

const USAGE = 2

/** Has a command end so when its words are not understood. */
export const endingWith2 = (command: Command): Command =>
  command.exitOverride(({ exitCode }) => {
    // Commander would end the process itself, with 1.
    process.exit(exitCode === 0 ? 0 : USAGE)
  })

/** Runs what a command does, and sets the exit status. */
export const ending = async (run: () => Promise<void>): Promise<void> => {
  try {
    await run()
  } catch (cause) {
    reportFailure(cause)
    if (cause instanceof CountersignError && cause.code === 'usage') process.exitCode = USAGE
  }
}

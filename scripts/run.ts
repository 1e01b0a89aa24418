// Runs a command of a script, showing its output as it comes.

import { spawn } from 'node:child_process'

/** Runs a program to its end; the exit status, or 1 when a signal ended it. */
export const run = async (command: string, args: readonly string[]): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  spawn(command, args, { stdio: 'inherit' })
    .once('error', reject)
    .once('exit', (code) => resolve(code ?? 1))
  return await promise
}

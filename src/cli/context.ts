// What a command uses of the process that it runs in: standard streams, environment, exit status. It is a
// parameter, with the names of the globals that it replaces, so that tests run a command without a process.

import type { Readable, Writable } from 'node:stream'

/** The part of `process` that commands use. */
export interface CommandProcess {
  /** The program, the script, the words of the command line. */
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable
  readonly stderr: Writable
  /** The exit status when the command has ended; 0 where none is set. */
  exitCode?: number | string | null | undefined
}

/** Writes lines to the two streams; does not fail when they are closed. */
export type CommandConsole = Pick<Console, 'log' | 'error'>

/** What a command gets. */
export interface CommandContext {
  readonly process: CommandProcess
  readonly console: CommandConsole
}

// A command at a terminal, for programs that prompt a user: util-linux's `script` makes one.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findProgram } from '../../src/runtime/child.ts'

const SCRIPT = process.platform === 'linux' ? findProgram('script') : undefined

/** For `skip` of node:test: why no terminal is available, or `false`. */
export const skipWithoutTerminal = (): string | false =>
  SCRIPT === undefined ? 'no terminal can be made: it takes `script` of util-linux' : false

/** A command that runs at a terminal. */
export interface AtTerminal extends AsyncDisposable {
  /** Resolves with the first match in what the screen has shown; rejects when it ends before. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  /** Types a line. */
  type(line: string): void
  /** How it ended, and all that the screen has shown. */
  readonly ended: Promise<{ readonly status: number | null; readonly screen: string }>
}

/** Starts a command at a terminal. */
export const atTerminal = (
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): AtTerminal => {
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const child = spawn(SCRIPT ?? 'script', ['-qec', line, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'dumb', SHELL: '/bin/sh', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    screen += chunk.replaceAll('\r\n', '\n')
  })
  const end = async () => {
    await once(child, 'close')
    return { status: child.exitCode, screen }
  }
  const ended = end()
  return {
    ended,
    type: (text) => void child.stdin.write(`${text}\n`),
    async shows(pattern) {
      for (;;) {
        const match = pattern.exec(screen)
        if (match !== null) return match
        const more = await Promise.race([once(child.stdout, 'data'), ended])
        if (!Array.isArray(more) && !pattern.test(screen)) {
          throw new Error(`it ended and did not show ${String(pattern)}:\n${screen}`)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

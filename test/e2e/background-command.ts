// A command of a document that stays: it runs in the background of a test.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { eventually } from './site.ts'

const START_MS = 60_000

/** A command of a shell that runs until it is disposed of. */
export class BackgroundCommand implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #log = ''

  constructor(command: string, cwd: string, env: NodeJS.ProcessEnv = process.env) {
    const stdio = ['ignore', 'pipe', 'pipe'] as const
    this.#child = spawn('sh', ['-c', `exec ${command}`], { cwd, env, stdio: [...stdio] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.#log += chunk))
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.once('close', () => resolve())
    this.#ended = promise
  }

  /** Its output so far. */
  get output(): string {
    return this.#log
  }

  /** Waits until its output contains a text; fails if it ends before. */
  async printed(wanted: string, place = ''): Promise<void> {
    const isDone = (log: string): boolean => log.includes(wanted) || this.#child.exitCode !== null
    await eventually(() => Promise.resolve(this.#log), isDone, START_MS)
    assert.ok(this.#log.includes(wanted), `${place}: ${this.#log}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
  }
}

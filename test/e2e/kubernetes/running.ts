// kubectl while it runs: what it has said so far, what is typed into it, and how it ends.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { KUBECTL } from '../../servers/kubernetes-programs.ts'
import { at, environmentOf, type Caller } from './asking.ts'
import { CREDENTIALS_OUT } from './configuration.ts'
import type { KubeSite } from './kube-site.ts'

// Nothing runs for longer, whatever the outcome of the test.
const LONGEST_MS = 240_000

/** How it ended. */
interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null
  readonly output: Buffer
  /** What it said on standard error. */
  readonly complaint: string
}

/** A kubectl that runs; it is killed when disposed. */
export interface RunningKubectl extends AsyncDisposable {
  readonly stdin: Writable
  /** Its standard output so far. */
  readonly printed: string
  /** Resolves with the first match in its standard output; rejects when it ends before. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

/** What may be said of a run. */
export interface RunOptions {
  /** Default: that of `X-Remote-*`. */
  readonly address?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts kubectl as a user. */
export const startKubectl = (
  site: KubeSite,
  { identity, state }: Caller,
  args: readonly string[],
  { address = CREDENTIALS_OUT['X-Remote-*'], environment = {} }: RunOptions = {},
): RunningKubectl => {
  const child = spawn(KUBECTL, [...identity, ...at(site, address), ...args], {
    env: { HOME: state, ...environmentOf(state), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LONGEST_MS,
  })
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined)
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk))
  const end = async (): Promise<Ended> => {
    await once(child, 'close')
    return { code: child.exitCode, output: Buffer.concat(output), complaint }
  }
  const ended = end()
  return {
    stdin: child.stdin,
    get printed() {
      return Buffer.concat(output).toString()
    },
    ended,
    signal: (signal) => void child.kill(signal),
    async shows(pattern) {
      for (;;) {
        const said = this.printed
        const match = pattern.exec(said)
        if (match !== null) return match
        const more = await Promise.race([once(child.stdout, 'data'), ended])
        if (!Array.isArray(more) && !pattern.test(this.printed)) {
          throw new Error(`it ended and did not show ${String(pattern)}: ${said}${complaint}`)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs kubectl to its end, with something on its standard input. */
export const runKubectl = async (
  site: KubeSite,
  caller: Caller,
  args: readonly string[],
  { input, ...options }: RunOptions & { readonly input?: Buffer | undefined } = {},
): Promise<Ended> => {
  await using running = startKubectl(site, caller, args, options)
  if (input === undefined) running.stdin.end()
  else running.stdin.end(input)
  return await running.ended
}

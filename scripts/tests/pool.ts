// Runs test files in a few processes. Files that can share a process do: what most of them cost is
// starting Node and loading the same modules again. Every further file has a process of its own.
//
// Whatever happens to a process, the file that it ran has failed, by name.

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { idleCoresOfSystem } from './cores.ts'
import type { Order, Result } from './protocol.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')
/** Compiled code; without it each process compiles for more than a second of CPU time. */
const COMPILE_CACHE = join(import.meta.dirname, '../../.cache/compile')
/** No file may take longer. The longest waits for Kubernetes and Istio. */
const LIMIT_SECONDS = 600
/** How often it looks for idle cores. */
const LOOK_MS = 250
/** Of one core; what makes another file run. */
const IDLE = 0.3
/** How long an idle process may take to end. */
const END_MS = 5_000

/** What a pool is made of. */
export interface PoolOptions {
  /** How many files run at a time. */
  readonly concurrency: number
  /** How many do while cores are idle, since most of the files wait. Default: the same number. */
  readonly most?: number
  /** How many cores were idle since the last call. Default: as the system counts. */
  readonly idleCores?: () => number
  /** Called as each file ends. */
  readonly onResult: (result: Result) => void
}

/** Files to run. */
export interface Batch {
  readonly paths: readonly string[]
  /** Whether they share processes. */
  readonly shared: boolean
}

/** Runs the files, the first ones first. */
export const runFiles = async (
  { paths, shared }: Batch,
  { concurrency, most = concurrency, idleCores = idleCoresOfSystem(), onResult }: PoolOptions,
): Promise<void> => {
  const queue = [...paths]
  const resting: Worker[] = []
  const running = new Set<Promise<void>>()
  const load = { isIdle: false }
  const work = async (): Promise<void> => {
    let worker = resting.pop()
    while (load.isIdle || running.size <= concurrency) {
      const path = queue.shift()
      if (path === undefined) break
      worker ??= new Worker()
      const result = await worker.run({ path, shared })
      // After a failure too: what it left behind must not reach the next file.
      if (!shared || result.problems.length > 0) {
        await worker.end(result.problems.length > 0 ? 0 : END_MS)
        worker = undefined
      }
      onResult(result)
    }
    if (worker !== undefined) resting.push(worker)
  }
  const start = (): void => {
    const one = work().finally(() => running.delete(one))
    running.add(one)
  }
  for (let count = Math.min(concurrency, queue.length); count > 0; count -= 1) start()
  const look = setInterval(() => {
    load.isIdle = idleCores() > IDLE
    if (load.isIdle && running.size < most && queue.length > 0) start()
  }, LOOK_MS)
  while (running.size > 0) await Promise.race(running)
  clearInterval(look)
  await Promise.all(resting.map(async (worker) => await worker.end()))
}

/** One process. */
class Worker {
  readonly #child: ChildProcess
  readonly #exited: Promise<string>
  #output = ''
  #busy = false

  constructor() {
    // Not as a child of `node --test`, should one be the parent.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    this.#child = fork(WORKER, {
      env: { ...env, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#exited = new Promise((resolve) => {
      this.#child
        .once('error', (error) => resolve(error.message))
        .once('exit', (code, signal) => resolve(signal ?? `exit status ${code}`))
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#output += chunk
      })
    }
  }

  /** Runs one file. */
  async run(order: Order): Promise<Result> {
    this.#output = ''
    this.#busy = true
    const { promise: answer, resolve } = Promise.withResolvers<Result>()
    const started = performance.now()
    const lost = (problem: string): Result => ({
      path: order.path,
      tests: 0,
      skipped: 0,
      seconds: (performance.now() - started) / 1_000,
      cpuSeconds: 0,
      problems: [problem],
    })
    const limit = setTimeout(() => {
      resolve(lost(`It has not ended after ${LIMIT_SECONDS} seconds.`))
    }, LIMIT_SECONDS * 1_000)
    this.#child.once('message', (message: unknown) => {
      this.#busy = false
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- worker.ts sends nothing else
      resolve(message as Result)
    })
    this.#child.send(order, (error) => {
      if (error !== null) resolve(lost(`Its process cannot be reached: ${error.message}`))
    })
    const ended = this.#exited.then((how) =>
      lost(`Its process ended before its tests did: ${how}.`),
    )
    const result = await Promise.race([answer, ended])
    clearTimeout(limit)
    if (result.problems.length === 0 || this.#output === '') return result
    return { ...result, problems: [...result.problems, `Its output:\n${this.#output}`] }
  }

  /** Ends it, by force after so many milliseconds, and at once while a file runs. */
  async end(milliseconds = END_MS): Promise<void> {
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), this.#busy ? 0 : milliseconds)
    if (this.#child.connected) this.#child.disconnect()
    await this.#exited
    clearTimeout(limit)
  }
}

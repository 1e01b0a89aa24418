// Runs one test file in this process, as a run of node:test of its own. It has ended when nothing keeps the process alive any more, as in a process of
// its own: a timer or a server that a file leaves behind is seen, not met by the next one.

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { run } from 'node:test'
import { pathToFileURL } from 'node:url'
import { processState, restoreProcessState } from './process-state.ts'
import type { Order, Result } from './protocol.ts'
import { Failures } from './failures.ts'

/** Runs the file of an order. */
export const runFile = async ({ path, shared }: Order): Promise<Result> => {
  const before = processState()
  const [started, cpuBefore] = [performance.now(), cpuSeconds()]
  const failures = new Failures()
  const counts = await runTests(path, failures)
  const problems = [...failures.problems]
  if (!counts.success && problems.length === 0) problems.push('Its tests did not end.')
  if (counts.tests === 0) problems.push('It holds no tests that ran.')
  problems.push(...(await loadingProblems(path)))
  // node:test sets it too, when it has a failure to tell.
  if (problems.length === 0 && Number(process.exitCode ?? 0) !== 0) {
    problems.push(`It sets process.exitCode to ${process.exitCode}.`)
  }
  process.exitCode = 0
  if (shared) problems.push(...restoreProcessState(before))
  return {
    path,
    tests: counts.tests,
    skipped: counts.skipped,
    seconds: (performance.now() - started) / 1_000,
    cpuSeconds: cpuSeconds() - cpuBefore,
    problems,
  }
}

/** From the last event of a process to the end of its run. */
const IDLE_MS = 1_000

/** CPU time of this process and, on Linux, of the processes that it has started and that have ended. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  const own = (user + system) / 1_000_000
  if (!existsSync(STAT)) return own
  // proc_pid_stat(5): cutime and cstime, in ticks of 10 ms; the name before them may hold spaces.
  const fields = readFileSync(STAT, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  return own + (Number(fields[13]) + Number(fields[14])) / 100
}
const STAT = '/proc/self/stat'

interface Counts {
  readonly success: boolean
  readonly tests: number
  readonly skipped: number
}

const runTests = async (path: string, failures: Failures): Promise<Counts> => {
  let counts: Counts = { success: false, tests: 0, skipped: 0 }
  let registered = true
  const { promise, resolve: ended } = Promise.withResolvers<void>()
  // node:test waits for ever for a test that waits for nothing: no timer, no socket, no process.
  let idle: NodeJS.Timeout | undefined
  const onIdle = (): void => {
    idle = setTimeout(ended, IDLE_MS)
  }
  process.once('beforeExit', onIdle)
  run({ files: [resolve(path)], isolation: 'none' })
    .on('test:start', (test) => {
      // A file that registers no test counts as a test of its own name.
      if (test.name === resolve(path)) registered = false
      failures.start(test)
    })
    .on('test:fail', (test) => failures.fail(test))
    .on('test:diagnostic', (diagnostic) => failures.diagnostic(diagnostic))
    .on('test:summary', ({ success, counts: { tests, skipped } }) => {
      counts = registered ? { success, tests, skipped } : { success, tests: 0, skipped: 0 }
    })
    .on('end', ended)
    .resume()
  await promise
  process.off('beforeExit', onIdle)
  clearTimeout(idle) // or the next file would wait for it
  return counts
}

/** The error of a file that throws after its first test, which node:test does not report here. */
const loadingProblems = async (path: string): Promise<readonly string[]> => {
  try {
    await import(pathToFileURL(resolve(path)).href)
    return []
  } catch (cause) {
    return [`It cannot be loaded: ${cause instanceof Error ? cause.stack : String(cause)}`]
  }
}

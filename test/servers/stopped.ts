// A process that receives SIGSTOP runs on for a moment: on Linux each of its threads stops at its next
// entry to the kernel. Until then it still answers requests.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LIMIT_MS = 5_000

/** Waits until every thread of a process that was sent SIGSTOP has stopped. Without /proc it does not wait. */
export const waitUntilStopped = (pid: number): void => {
  const tasks = `/proc/${pid}/task`
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (let waited = 0; existsSync(tasks) && !isStopped(tasks); waited += 1) {
    if (waited > LIMIT_MS) throw new Error(`process ${pid} does not stop`)
    Atomics.wait(sleeper, 0, 0, 1)
  }
}

// proc_pid_stat(5): the state follows the name, which is in parentheses and may have any character.
const isStopped = (tasks: string): boolean =>
  readdirSync(tasks).every((task) => {
    try {
      const stat = readFileSync(join(tasks, task, 'stat'), 'latin1')
      return /^[TtZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
    } catch {
      return true // the thread has ended
    }
  })

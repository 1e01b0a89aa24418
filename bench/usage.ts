// What a process has used, as Linux counts it in /proc.

import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time of a process so far, user and system, in microseconds: all its threads, those of the garbage
 * collector too.
 */
export const cpuOf = (pid: number): number => Math.max(threadsCpu(pid), processCpu(pid))

// proc(5): the unit of utime and stime, sysconf(_SC_CLK_TCK), is 10 ms on every Linux that Node runs on.
const TICK_US = 10_000

/** utime and stime of /proc/PID/stat: of threads that have ended too, but in ticks. */
const processCpu = (pid: number): number => {
  const stat = readOrEmpty(`/proc/${pid}/stat`)
  // The second field is the name in parentheses, which may contain spaces; utime is the 14th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_US
}

/** The same of the threads that there are, in nanoseconds (Documentation/scheduler/sched-stats). */
const threadsCpu = (pid: number): number => {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [running = ''] = readOrEmpty(`/proc/${pid}/task/${thread}/schedstat`).split(' ')
    nanoseconds += Number(running)
  }
  return nanoseconds / 1_000
}

/** CPU time of this thread so far, in microseconds. */
export const threadCpu = (): number => {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** Resident memory in bytes. */
export const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

/** A thread may end between the listing and the reading. */
const readOrEmpty = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

// What a process has used, as Linux counts it in /proc.

import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of all threads of a process so far, in microseconds. */
export const cpuOf = (pid: number): number => {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    // The first number of schedstat is what utime and stime in /proc/PID/stat add up to, but in
    // nanoseconds; those two come in ticks of 10 ms (proc(5), Documentation/scheduler/sched-stats).
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

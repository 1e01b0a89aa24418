// The time that this thread has had, for bounds of synchronous work: other work of the machine is not
// counted.

/** CPU time of the current thread, user and system, in milliseconds. */
export const cpuTime = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

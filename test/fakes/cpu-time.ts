// The time that this thread has had, for bounds of synchronous work: other work of the machine is not
// counted.

/** CPU time of the current thread, user and system, in milliseconds. */
export const cpuTime = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** The median of measurements; of an even number, the upper one. */
export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN

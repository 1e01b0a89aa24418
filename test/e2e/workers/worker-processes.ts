// The worker processes of a running `countersign authz`, by the processes of the system.

import { readdir, readFile } from 'node:fs/promises'
import { until } from '../../fakes/until.ts'

/** The numbers of the worker processes of a supervisor, by their index. */
export const workerPids = async (supervisor: number): Promise<ReadonlyMap<number, number>> => {
  const found = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    // The fourth field, after the name of the program in parentheses; Z has ended.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(parent) !== supervisor || state === 'Z') continue
    const args = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0')
    const at = args.indexOf('--worker')
    if (at > 0) found.set(Number(args[at + 1]?.split('/')[0]), Number(name))
  }
  return found
}

/** Waits until a process has ended. */
export const untilGone = async (pid: number): Promise<void> => {
  await until(async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  }, `process ${pid} has ended`)
}

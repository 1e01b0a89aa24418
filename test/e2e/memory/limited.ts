// A memory limit as a container has it, where this machine lets us set one.

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { z } from 'zod'

/** How a process is run within the limit. */
export interface MemoryLimit extends AsyncDisposable {
  /** Put before its command line. */
  readonly prefix: readonly string[]
  /** Whether the kernel enforces it, or only the test looks at it. */
  readonly isEnforced: boolean
}

const VALUES = resolve(import.meta.dirname, '../../../deploy/kubernetes/chart/values.yaml')
const MEBI = 1_048_576

/** The limit of authz in the Helm chart, in bytes. */
export const chartLimit = async (): Promise<number> => {
  const values = z
    .object({
      authz: z.object({ resources: z.object({ limits: z.object({ memory: z.string() }) }) }),
    })
    .parse(parse(await readFile(VALUES, 'utf8')))
  const [, amount] = /^(\d+)Mi$/.exec(values.authz.resources.limits.memory) ?? []
  return Number(amount) * MEBI
}

// cgroups(7): version 1 and 2. A container may have either, and seldom may it make groups of its own.
const KINDS = [
  { folder: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
  { folder: '/sys/fs/cgroup', limit: 'memory.max' },
] as const

/** Sets the limit, or makes V8 behave as within it: it takes half of the limit for its heap. */
export const limitMemory = (bytes: number): MemoryLimit => {
  for (const { folder, limit } of KINDS) {
    const group = `${folder}/countersign-test-${process.pid}`
    try {
      mkdirSync(group)
    } catch {
      continue
    }
    try {
      writeFileSync(`${group}/${limit}`, String(bytes))
      return {
        prefix: ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group],
        isEnforced: true,
        [Symbol.asyncDispose]: () => remove(group),
      }
    } catch {
      rmdirSync(group)
    }
  }
  const heap = `--max-old-space-size=${Math.floor(bytes / 2 / MEBI)}`
  return {
    prefix: ['/usr/bin/env', `NODE_OPTIONS=${heap}`],
    isEnforced: false,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A group can be removed a moment after its last process has ended. */
const remove = async (group: string): Promise<void> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      rmdirSync(group)
      return
    } catch (cause) {
      if (attempt === 100) throw cause
      await sleep(50)
    }
  }
}

/** Counts the peak of a process anew (proc(5), clear_refs). */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** The largest resident memory since then, in bytes. */
export const peakOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

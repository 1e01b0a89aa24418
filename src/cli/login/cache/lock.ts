// One process at a time renews a login. A refresh token of most providers is good for one time, and who
// shows it twice is taken for a thief, upon which everybody is logged out.

import { randomUUID } from 'node:crypto'
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../../runtime/errors.ts'

/** Our turn, until it is disposed of. */
export type Turn = AsyncDisposable

/** How long to wait for a turn, and when whoever has it is taken for dead, in milliseconds. */
export interface Patience {
  readonly wait: number
  /** Of a process on another machine that shares the folder, of which we cannot see whether it lives. */
  readonly stale?: number
  /** Of a process that lives, or another that got its number. */
  readonly stuck?: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

// A turn takes as long as the provider takes to answer, of which there are limits.
const STALE_MS = 120_000
// A machine that slept wakes up with processes in the midst of their turns.
const STUCK_MS = 900_000
const POLL_MS = 25

/** Waits for our turn; `undefined` when it does not come in that time. */
export const takeTurn = async (path: string, patience: Patience): Promise<Turn | undefined> => {
  const ours = `${process.pid} ${hostname()} ${randomUUID()}\n`
  const written = `${path}.${randomUUID()}`
  await writeFile(written, ours, { flag: 'wx', mode: 0o600 })
  try {
    if (!(await waitFor(path, written, patience))) return undefined
  } finally {
    await rm(written, { force: true })
  }
  return {
    async [Symbol.asyncDispose]() {
      // Not of somebody who took us for dead.
      if ((await contentOf(path)) === ours) await rm(path, { force: true })
    },
  }
}

/** Says whether the turn is ours. */
const waitFor = async (
  path: string,
  written: string,
  { wait, stale = STALE_MS, stuck = STUCK_MS, signal }: Patience,
): Promise<boolean> => {
  const deadline = Date.now() + wait
  for (;;) {
    if (await take(path, written)) return true
    const holder = await holderOf(path)
    if (holder === undefined) continue
    const patience = holder.life === 'unknown' ? stale : stuck
    if (holder.life === 'dead' || holder.age > patience) {
      await removeDead(path, holder.text, written)
      continue
    }
    if (Date.now() >= deadline || signal?.aborted === true) return false
    await sleep(POLL_MS)
  }
}

/** Says whether the turn is free and now ours. */
const take = async (path: string, written: string): Promise<boolean> => {
  try {
    // As O_EXCL, and the file says at once whose turn it is, though we be killed this moment.
    await link(written, path)
    // It was written when the waiting began.
    const now = new Date()
    await utimes(path, now, now)
    return true
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false
    throw cause
  }
}

interface Holder {
  readonly text: string
  readonly life: 'alive' | 'dead' | 'unknown'
  /** Since it took its turn, in milliseconds. */
  readonly age: number
}

/** Who has the turn, or `undefined` when nobody has any more. */
const holderOf = async (path: string): Promise<Holder | undefined> => {
  const [text, status] = await Promise.all([contentOf(path), stat(path).catch(() => undefined)])
  if (text === undefined || status === undefined) return undefined
  const [pid = '', host] = text.trim().split(' ')
  const life = host === hostname() && /^\d+$/.test(pid) ? lifeOf(Number(pid)) : 'unknown'
  return { text, life, age: Date.now() - status.mtimeMs }
}

const lifeOf = (pid: number): 'alive' | 'dead' => {
  try {
    process.kill(pid, 0)
    return 'alive'
  } catch (cause) {
    // Of another user: it lives.
    return hasCode(cause, 'EPERM') ? 'alive' : 'dead'
  }
}

// Two looks at a file and its removal.
const REMOVAL_MS = 10_000

/** Removes the file of a process that ended in its turn. */
const removeDead = async (path: string, text: string, written: string): Promise<void> => {
  // One at a time: or the file of somebody who lives, come to that place in between, would go with it.
  const removing = `${path}.dead`
  if (!(await take(removing, written))) {
    const since = await stat(removing).catch(() => undefined)
    if (since !== undefined && Date.now() - since.mtimeMs > REMOVAL_MS)
      await rm(removing, { force: true })
    return await sleep(1)
  }
  try {
    if ((await contentOf(path)) === text) await rm(path, { force: true })
  } finally {
    await rm(removing, { force: true })
  }
}

const contentOf = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined
    throw cause
  }
}

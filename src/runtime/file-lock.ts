// A lock between processes: a file that names its holder. It is created by link(2), which is exclusive
// and shows the whole content at once. The lock of a process that has ended is taken over.

import { randomUUID } from 'node:crypto'
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from './errors.ts'

/** A lock that is held until it is disposed of. */
export interface FileLock extends AsyncDisposable {
  /** Whether it is still held. Check right before a step that cannot be undone. */
  isHeld(): Promise<boolean>
}

/** How long to wait for a lock, and when to take it over, in milliseconds. */
export interface LockOptions {
  readonly wait: number
  /** Age at which a lock is taken over from a process of another machine, whose state is not known. */
  readonly stale?: number
  /** Age at which a lock is taken over from a running process, or from another with its number. */
  readonly stuck?: number
  /** Ends the wait. */
  readonly signal?: AbortSignal
}

// Longer than an identity provider takes to answer, which has a time limit.
const STALE_MS = 120_000
// A machine that was suspended resumes with processes that hold locks.
const STUCK_MS = 900_000
const POLL_MS = 25

/** Waits for a lock; `undefined` when it is not released in that time. */
export const acquireFileLock = async (
  path: string,
  options: LockOptions,
): Promise<FileLock | undefined> => {
  const content = `${process.pid} ${hostname()} ${randomUUID()}\n`
  if (!(await waitFor(path, content, options))) return undefined
  const isHeld = async (): Promise<boolean> => (await contentOf(path)) === content
  return {
    isHeld,
    async [Symbol.asyncDispose]() {
      // Another process may have taken the lock over.
      if (await isHeld()) await rm(path, { force: true })
    },
  }
}

/** The process that holds a lock, as `process 12 on host`; empty when that is not known. */
export const lockHolder = async (path: string): Promise<string> => {
  const { pid, host } = parseContent((await contentOf(path)) ?? '')
  return pid === undefined || host === undefined ? '' : `process ${pid} on ${host}`
}

/** Waits until the lock is held; `false` when it is not. */
const waitFor = async (
  path: string,
  content: string,
  { wait, stale = STALE_MS, stuck = STUCK_MS, signal }: LockOptions,
): Promise<boolean> => {
  const deadline = Date.now() + wait
  for (;;) {
    const holder = await holderOf(path)
    if (holder === undefined) {
      if (await create(path, content)) return true
      continue
    }
    const limit = holder.state === 'unknown' ? stale : stuck
    if (holder.state === 'ended' || holder.age > limit) {
      await removeStale(path, holder.content)
      continue
    }
    if (Date.now() >= deadline || signal?.aborted === true) return false
    await sleep(POLL_MS)
  }
}

/** Creates a lock file with its whole content; `false` when the file exists. */
const create = async (path: string, content: string): Promise<boolean> => {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, content, { flag: 'wx', mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (cause) {
    // ENOENT: the holder removed the draft as a remainder of a command that failed.
    if (hasCode(cause, 'EEXIST') || hasCode(cause, 'ENOENT')) return false
    throw cause
  } finally {
    await rm(draft, { force: true })
  }
}

interface Holder {
  readonly content: string
  readonly state: 'running' | 'ended' | 'unknown'
  /** Since it acquired the lock, in milliseconds. */
  readonly age: number
}

/** The holder of a lock; `undefined` when the lock was released. */
const holderOf = async (path: string): Promise<Holder | undefined> => {
  const [content, status] = await Promise.all([contentOf(path), stat(path).catch(() => undefined)])
  if (content === undefined || status === undefined) return undefined
  const { pid, host } = parseContent(content)
  const state = pid !== undefined && host === hostname() ? stateOf(pid) : 'unknown'
  return { content, state, age: Date.now() - status.mtimeMs }
}

const parseContent = (content: string): { readonly pid?: number; readonly host?: string } => {
  const [, pid, host] = /^(\d+) (\S+)/.exec(content) ?? []
  return pid === undefined || host === undefined ? {} : { pid: Number(pid), host }
}

const stateOf = (pid: number): 'running' | 'ended' => {
  try {
    process.kill(pid, 0)
    return 'running'
  } catch (cause) {
    // EPERM: the process runs under another user.
    return hasCode(cause, 'EPERM') ? 'running' : 'ended'
  }
}

// Reading a file and removing it takes less.
const REMOVAL_MS = 10_000

/** Removes the lock of a process that has ended. */
const removeStale = async (path: string, content: string): Promise<void> => {
  // One process at a time; otherwise the second would remove the lock that has been created meanwhile.
  const removal = `${path}.dead`
  if (!(await create(removal, content))) {
    const since = await stat(removal).catch(() => undefined)
    if (since !== undefined && Date.now() - since.mtimeMs > REMOVAL_MS) {
      await rm(removal, { force: true })
    }
    return await sleep(1)
  }
  try {
    if ((await contentOf(path)) === content) await rm(path, { force: true })
  } finally {
    await rm(removal, { force: true })
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

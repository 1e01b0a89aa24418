// Another `countersign up` of this machine, or another process, that has what this one needs.

import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { Address } from '../../config/values.ts'
import { formatAddress } from '../../config/values.ts'
import { isResolved } from '../../envoy/message.ts'
import { CountersignError, hasCode } from '../../runtime/errors.ts'
import { acquireFileLock, lockHolder, type FileLock } from '../../runtime/file-lock.ts'
import { listen } from '../../runtime/listen.ts'
import {
  portHolder,
  portHolderCommand,
  processInfo,
  type ProcessInfo,
} from '../../runtime/port-holder.ts'

/** The lock file in the folder of the configuration. */
const RUN_LOCK = '.countersign-up.lock'

/**
 * Makes this the only `countersign up` of a folder, until the lock is disposed of.
 *
 * @returns `undefined` where the folder may not be written: the sockets of authz are the lock then
 * @throws CountersignError `listen-failed` with the process that runs there
 */
export const lockRun = async (folder: string): Promise<FileLock | undefined> => {
  const path = join(folder, RUN_LOCK)
  try {
    await removeOutdated(path)
    // A lock of another machine, such as a container that was replaced, says nothing of this one.
    const lock = await acquireFileLock(path, { wait: 0, stale: 0, stuck: Number.POSITIVE_INFINITY })
    if (lock !== undefined) return lock
  } catch (cause) {
    if (hasCode(cause, 'EACCES', 'EROFS', 'EPERM', 'ENOENT')) return undefined
    throw cause
  }
  const holder = (await lockHolder(path)) || 'another process'
  throw new CountersignError(
    'listen-failed',
    `another "countersign up" runs in ${folder}: ${holder}. End it, or use another folder`,
  )
}

/** Removes the lock of a process that has ended and whose number now belongs to this or another program. */
const removeOutdated = async (path: string): Promise<void> => {
  const [, number, host] = /^process (\d+) on (\S+)$/.exec(await lockHolder(path)) ?? []
  if (number === undefined || host !== hostname()) return
  const pid = Number(number)
  const holder = await processInfo(pid)
  if (pid === process.pid || (holder !== undefined && !isUp(holder)))
    await rm(path, { force: true })
}

/**
 * Requires that nothing listens on Envoy's address, before anything is started. Envoy itself binds it exclusively.
 *
 * @throws CountersignError `listen-failed`
 */
export const requireFreePort = async (address: Address): Promise<void> => {
  if (!isResolved(address)) return // not an address that can be bound; Envoy says so
  const probe = createServer()
  try {
    await listen(probe, address)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.cause : undefined
    if (hasCode(reason, 'EADDRINUSE')) throw await addressInUse(address)
    throw cause
  }
  const { promise, resolve: closed } = Promise.withResolvers<void>()
  probe.close(() => closed())
  await promise
}

/** The system on which the process is looked for. */
interface LookedAt {
  readonly proc?: string
  readonly platform?: string
}

/** The error for an address that another process listens on. */
export const addressInUse = async (
  address: Address,
  { proc, platform }: LookedAt = {},
): Promise<CountersignError> => {
  const holder =
    address.kind === 'unix'
      ? 'another process listens there'
      : ((await describeHolder(address.host, address.port, proc)) ??
        `another process listens there (\`${portHolderCommand(address.port, platform)}\` shows it)`)
  return new CountersignError(
    'listen-failed',
    `cannot listen on ${formatAddress(address)}: ${holder}. End it, or change envoy.listener.address`,
  )
}

/** Which process listens there; `undefined` where that cannot be found out. */
const describeHolder = async (
  host: string,
  port: number,
  proc?: string,
): Promise<string | undefined> => {
  const holder = await portHolder(host, port, proc)
  if (holder === undefined) return undefined
  const parent = await processInfo(holder.parent, proc)
  const shown = `process ${holder.pid} (${basename(holder.args[0] ?? 'unknown')})`
  const which =
    parent !== undefined && isUp(parent)
      ? `${shown} of the countersign up in ${folderOf(parent)}, process ${parent.pid},`
      : `${shown}${holder.folder === undefined ? '' : ` in ${holder.folder}`}`
  return `${which} listens there`
}

const isUp = ({ args }: ProcessInfo): boolean =>
  args.some((part) => basename(part).startsWith('countersign')) && args.includes('up')

const folderOf = ({ args, folder = '.' }: ProcessInfo): string => {
  const named = args.flatMap((part, index) => {
    if (part === '-c' || part === '--config') return [args[index + 1] ?? '']
    return part.startsWith('--config=') ? [part.slice('--config='.length)] : []
  })[0]
  return named === undefined ? folder : dirname(resolve(folder, named))
}

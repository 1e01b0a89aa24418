// Where a server listens, and what has to be done about the file of a UNIX socket.

import { chmod, chown, mkdir, rm, stat } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { CountersignError, describeError, hasCode } from './errors.ts'
import { describeFileFault } from './file-fault.ts'
import { portHolderCommand } from './port-holder.ts'

/** Where to listen. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** Access to a UNIX socket: a process that may write to its file may connect. */
export interface SocketAccess {
  readonly mode: number
  /** Numeric ids; absent: as they come. */
  readonly owner?: number | undefined
  readonly group?: number | undefined
}

/** TLS material, PEM. The peer must present a certificate that `clientCa` signed. */
export interface ServerTls {
  readonly certificate: Buffer
  readonly key: Buffer
  readonly clientCa: Buffer
}

/** The address in the form that gRPC has for it. */
export const targetOf = (address: ListenAddress): string => {
  if (address.kind === 'unix') return `unix:${address.path}`
  const { host, port } = address
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The error for an address that cannot be used. */
export const listenFailure = (address: ListenAddress, cause: unknown): CountersignError => {
  const message = `cannot listen on ${targetOf(address)}: ${reasonOf(address, cause)}`
  return new CountersignError('listen-failed', message, { cause })
}

const reasonOf = (address: ListenAddress, cause: unknown): string => {
  if (address.kind === 'unix') return describeFileFault(address.path, cause)
  if (hasCode(cause, 'EADDRINUSE')) {
    return `another process listens there (\`${portHolderCommand(address.port)}\` shows it). End it, or change the address (EADDRINUSE)`
  }
  if (hasCode(cause, 'EADDRNOTAVAIL')) {
    return `no network interface of this machine has the address ${address.host} (EADDRNOTAVAIL)`
  }
  if (hasCode(cause, 'EACCES')) {
    return 'ports below 1024 need the capability CAP_NET_BIND_SERVICE: use another port (EACCES)'
  }
  return describeError(cause)
}

/**
 * Listens on an address.
 *
 * @throws CountersignError `listen-failed`
 */
export const listen = async (server: Server, address: ListenAddress): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(address, resolve)
  try {
    await promise
  } catch (cause) {
    throw listenFailure(address, cause)
  } finally {
    server.off('error', reject)
  }
}

/** The address with the port that the system chose where it was 0. */
export const boundAddress = (server: Server, address: ListenAddress): ListenAddress => {
  const bound = server.address()
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') return address
  return { ...address, port: bound.port }
}

/**
 * Makes the folder, and removes a socket that a dead process left; a live one is an error, and so is a folder in which
 * every user could replace it. From then on files of the process are writable only by its own user, whatever its umask
 * was, so that no other user can connect to a socket between its creation and {@link admitToSocket}.
 *
 * @throws CountersignError `listen-failed`
 */
export const prepareSocket = async (path: string): Promise<void> => {
  process.umask(process.umask(NO_ACCESS) | NO_WRITE_BY_OTHERS)
  try {
    await mkdir(dirname(path), { recursive: true })
  } catch (cause) {
    throw listenFailure({ kind: 'unix', path }, cause)
  }
  await requireOwnFolder(path)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const probe = connect(path, () => resolve(true)).on('error', () => resolve(false))
  const inUse = await promise
  probe.destroy()
  if (inUse) {
    throw new CountersignError('listen-failed', `another process listens on unix:${path} already`)
  }
  await rm(path, { force: true })
}

const NO_ACCESS = 0o777
const NO_WRITE_BY_OTHERS = 0o022
const WRITABLE_BY_ALL = 0o002
const STICKY = 0o1000

/** Refuses a folder in which every user of the machine could replace the socket. */
const requireOwnFolder = async (path: string): Promise<void> => {
  const folder = dirname(path)
  const { mode } = await stat(folder)
  if ((mode & WRITABLE_BY_ALL) === 0 || (mode & STICKY) !== 0) return
  throw new CountersignError(
    'listen-failed',
    `cannot listen on unix:${path}: every user may write to ${folder} and replace the socket; give it a folder of its own in there`,
  )
}

/** Lets those in who may use a socket that was just made. */
export const admitToSocket = async (path: string, access: SocketAccess): Promise<void> => {
  const { mode, owner = UNCHANGED, group = UNCHANGED } = access
  try {
    // In this order: the mode is for the new group, and not for the one that it comes with.
    if (owner !== UNCHANGED || group !== UNCHANGED) await chown(path, owner, group)
    await chmod(path, mode)
  } catch (cause) {
    throw listenFailure({ kind: 'unix', path }, cause)
  }
}

const UNCHANGED = -1 // chown(2)

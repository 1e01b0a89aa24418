// Which process listens on a TCP port of this machine. Linux shows that in /proc (proc(5)), for processes of the
// same user or to root; elsewhere nothing is found, and a command is named that finds it.

import { readdir, readFile, readlink } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'

/** A process of this machine. */
export interface ProcessInfo {
  readonly pid: number
  /** Of the process that started it. */
  readonly parent: number
  /** Its command line. */
  readonly args: readonly string[]
  /** Its working directory; absent where that may not be read. */
  readonly folder?: string | undefined
}

const PROC = '/proc'

// include/net/tcp_states.h: TCP_LISTEN.
const LISTENING = '0A'

/** The process that listens on the port at that address, or at all addresses. */
export const portHolder = async (
  host: string,
  port: number,
  proc = PROC,
): Promise<ProcessInfo | undefined> => {
  const tables = await Promise.all(['net/tcp', 'net/tcp6'].map((file) => textOf(join(proc, file))))
  const inodes = tables.flatMap((table) => inodesOf(table, host, port))
  if (inodes.length === 0) return undefined
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`))
  for (const name of await readdir(proc)) {
    if (/^\d+$/.test(name) && (await holdsOne(join(proc, name, 'fd'), sockets)))
      return await processInfo(Number(name), proc)
  }
  return undefined
}

/** What is known of a process; `undefined` when it has ended, or where /proc is missing. */
export const processInfo = async (pid: number, proc = PROC): Promise<ProcessInfo | undefined> => {
  const folder = join(proc, String(pid))
  const [status, command] = await Promise.all(
    ['status', 'cmdline'].map((file) => textOf(join(folder, file))),
  )
  const parent = Number(/^PPid:\s*(\d+)/m.exec(status ?? '')?.[1])
  if (Number.isNaN(parent)) return undefined
  const args = (command ?? '').split('\0').filter((part) => part !== '')
  return { pid, parent, args, folder: await readlink(join(folder, 'cwd')).catch(() => undefined) }
}

/** A command by which an operator finds the process that listens on a port, also of another user. */
export const portHolderCommand = (port: number, platform: string = process.platform): string =>
  platform === 'linux'
    ? `sudo ss -ltnp 'sport = :${port}'`
    : `sudo lsof -nP -iTCP:${port} -sTCP:LISTEN`

/** Inodes of the sockets that listen there, of one table of the kernel. */
const inodesOf = (table: string, host: string, port: number): readonly string[] =>
  table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = '', , state, , , , , , inode]) => {
      const [address = '', hexPort = ''] = local.split(':')
      const here = state === LISTENING && Number.parseInt(hexPort, 16) === port
      return here && inode !== undefined && overlaps(address, host) ? [inode] : []
    })

/** Whether a socket at that address, as the kernel prints it, keeps another from being bound. */
const overlaps = (address: string, host: string): boolean =>
  /^0+$/.test(address) || !isIPv4(host) || host === '0.0.0.0' || address.endsWith(hexOf(host))

/** The bytes in the order of a little-endian machine, as the kernel prints them. */
const hexOf = (host: string): string =>
  Buffer.from(host.split('.').map(Number))
    .readUInt32LE()
    .toString(16)
    .toUpperCase()
    .padStart(8, '0')

/** @param folder the descriptors of a process */
const holdsOne = async (folder: string, sockets: ReadonlySet<string>): Promise<boolean> => {
  const files = await readdir(folder).catch(() => [])
  for (const file of files) {
    if (sockets.has(await readlink(join(folder, file)).catch(() => ''))) return true
  }
  return false
}

const textOf = async (path: string): Promise<string> => await readFile(path, 'utf8').catch(() => '')

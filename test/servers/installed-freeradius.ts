// A real FreeRADIUS with the configuration of its Debian package: only its places, its port and its users differ.

import { accessSync, constants } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { Daemon, runProgram } from './daemon.ts'
import { askStatus, findFreeRadius, skipWithoutFreeRadius } from './freeradius.ts'
import { freeUdpPort } from './ports.ts'
import { temporaryFolder } from './temporary.ts'

/** Where the Debian package has its configuration. */
export const INSTALLED = '/etc/freeradius/3.0'

/** Of the client 127.0.0.1, in the package's clients.conf. */
const SECRET = 'testing123'

/** A FreeRADIUS as it is installed. */
export interface InstalledFreeRadius extends AsyncDisposable {
  /** UDP, at 127.0.0.1. */
  readonly port: number
  readonly secret: string
}

/** For `skip` of node:test: as {@link skipWithoutFreeRadius}, and where this user cannot read the package's files. */
export const skipWithoutInstalledFreeRadius = (): string | false => {
  const missing = skipWithoutFreeRadius()
  if (missing !== false) return missing
  try {
    accessSync(`${INSTALLED}/clients.conf`, constants.R_OK)
    return false
  } catch {
    return `${INSTALLED} is not there, or this user may not read it`
  }
}

/**
 * Starts it with these users, and waits until it answers.
 *
 * @param users name → password
 * @param change shell commands for its configuration, which say {@link INSTALLED} for the folder
 */
export const startInstalledFreeRadius = async (
  users: Readonly<Record<string, string>>,
  change = '',
): Promise<InstalledFreeRadius> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const configuration = folder.file('raddb')
  const port = await freeUdpPort()
  await cp(INSTALLED, configuration, { recursive: true, verbatimSymlinks: true })
  await Promise.all(['log', 'run'].map((name) => mkdir(folder.file(name))))
  await rewrite(`${configuration}/radiusd.conf`, (text) => inFolder(text, folder.path))
  await rewrite(`${configuration}/sites-available/default`, (text) => listeningAt(text, port))
  await rewrite(`${configuration}/sites-available/inner-tunnel`, withoutListeners)
  await rewrite(`${configuration}/mods-config/files/authorize`, (text) => entries(users) + text)
  await runProgram('sh', ['-eu'], change.replaceAll(INSTALLED, configuration))
  const server = stack.use(
    new Daemon({
      command: findFreeRadius() ?? '',
      args: ['-f', '-d', configuration, '-l', 'stdout'],
      probe: () => askStatus(port, SECRET),
    }),
  )
  await server.start()
  const owned = stack.move()
  return { port, secret: SECRET, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const rewrite = async (file: string, change: (text: string) => string): Promise<void> => {
  const text = await readFile(file, 'utf8')
  const changed = change(text)
  if (changed === text) throw new Error(`${file} is not as the package has it`)
  await writeFile(file, changed)
}

/** Its own folders in place of the machine's, and no other user than who starts it. */
const inFolder = (text: string, folder: string): string =>
  text
    .replace(/^logdir = .*$/m, `logdir = ${folder}/log`)
    .replace(/^run_dir = .*$/m, `run_dir = ${folder}/run`)
    .replace(/^raddbdir = .*$/m, `raddbdir = ${folder}/raddb`)
    .replaceAll(/^\s*(?:user|group) = freerad$/gm, '')

const LISTENERS = /^listen \{\n[\s\S]*?^\}\n/gm

const withoutListeners = (text: string): string => text.replaceAll(LISTENERS, '')

const listeningAt = (text: string, port: number): string =>
  withoutListeners(text).replace(
    /^server default \{\n/m,
    `$&listen {\n\ttype = auth\n\tipaddr = 127.0.0.1\n\tport = ${port}\n}\n`,
  )

const entries = (users: Readonly<Record<string, string>>): string =>
  Object.entries(users)
    .map(([name, password]) => `${name} Cleartext-Password := "${password}"\n`)
    .join('')

// `countersign up` in its own process, with the sites that it runs.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { startCertificateUpstream } from '../../servers/certificate-upstream.ts'
import type { Target } from '../../servers/client.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { startUpstream } from '../../servers/upstream.ts'
import { until } from '../../fakes/until.ts'
import { configuration, HOST, usersFile } from '../site.ts'

/** A running `countersign up`. */
export interface Up extends AsyncDisposable {
  readonly process: ChildProcess
  readonly target: Target
  readonly site: WrittenSite
  readonly ended: Promise<number | null>
  readonly log: () => string
  /** Process ids of authz, the signer if there is one, and Envoy. */
  children(): readonly number[]
  child(name: keyof typeof COMMANDS): number
}

// Arguments are kept apart by NUL (proc(5)).
const COMMANDS = {
  authz: 'countersign.ts\0authz',
  signer: 'countersign.ts\0signer',
  envoy: 'envoy.yaml',
} as const

/** Starts it and waits until it is ready. */
export const startUp = async (
  write: () => Promise<WrittenSite> = () => writeSite(),
  options: LaunchOptions = {},
): Promise<Up> => {
  await using stack = new AsyncDisposableStack()
  const site = stack.use(await write())
  const { process: child, log } = launch(site.config, options)
  const ended = exitOf(child)
  stack.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
  })
  const ready = /ready, listening on https:\/\/.*:(\d+)/
  const port = (): string | undefined => ready.exec(log())?.[1]
  await until(() => port() !== undefined || child.exitCode !== null, 'countersign up is ready')
  const found = port()
  assert.ok(found, log())
  const running = stack.move()
  const children = (): readonly number[] => childrenOf(child.pid ?? 0)
  return {
    process: child,
    target: { port: Number(found), serverName: HOST, ca: site.ca },
    site,
    ended,
    log,
    children,
    child: (name) => children().find((pid) => commandOf(pid).includes(COMMANDS[name])) ?? 0,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The files of a site. */
export interface WrittenSite extends AsyncDisposable {
  readonly folder: string
  readonly config: string
  readonly ca: string
}

/** What a configuration is written for. What is put into the stack ends with the site. */
interface SiteParts {
  readonly folder: TemporaryFolder
  readonly pki: Pki
  readonly stack: AsyncDisposableStack
}

/** Writes a users file and the configuration that is given. */
export const writeSiteOf = async (
  document: (parts: SiteParts) => Promise<object>,
): Promise<WrittenSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const config = folder.file('countersign.yaml')
  await writeFile(folder.file('users.yaml'), await usersFile())
  await writeFile(config, stringify(await document({ folder, pki, stack })))
  const owned = stack.move()
  return {
    folder: folder.path,
    config,
    ca: pki.ca,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A site with an upstream that shows what it received, on a port of the system's choice. */
export const writeSite = (listener: Readonly<Record<string, unknown>> = {}): Promise<WrittenSite> =>
  writeSiteOf(async ({ pki, stack }) => {
    const upstream = stack.use(await startUpstream({ identity: pki.upstream, clientCa: pki.ca }))
    return configuration(pki, upstream.port, { listener })
  })

/** The same with an upstream that wants a certificate from every caller. */
export const writeCertificateSite = (): Promise<WrittenSite> =>
  writeSiteOf(async ({ folder, pki, stack }) => {
    const clientCas = await readFile(pki.ca, 'utf8')
    const upstream = stack.use(
      await startCertificateUpstream({ identity: pki.upstream, clientCas }),
    )
    const signer = {
      version: 1,
      listen: 'unix:signer.sock',
      authorities: { kube: { certificate: pki.ca, key: `file:${pki.key}` } },
    }
    await writeFile(folder.file('grant.keys'), newGrantKeyLine(), { mode: 0o600 })
    await writeFile(folder.file('signer.yaml'), stringify(signer))
    const certificate = { ca: 'kube', subject: { CN: 'identity.user' } }
    const { envoy, ...rest } = configuration(pki, upstream.port, {
      route: { forward: { certificate } },
    })
    return {
      ...rest,
      certificateGrants: { keyring: 'file:grant.keys' },
      envoy: { ...z.looseObject({}).parse(envoy), signerAddress: 'unix:signer.sock' },
    }
  })

/** How it is started. */
interface LaunchOptions {
  readonly args?: readonly string[]
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** Starts it. */
export const launch = (
  config: string,
  { args = [], env = {} }: LaunchOptions = {},
): { process: ChildProcess; log: () => string } => {
  const command = resolve(import.meta.dirname, '../../../src/countersign.ts')
  const child = spawn(process.execPath, [command, 'up', '--config', config, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()))
  return { process: child, log: () => log }
}

/** Resolves with its exit status. */
export const exitOf = async (child: ChildProcess): Promise<number | null> => {
  const { promise, resolve: settle } = Promise.withResolvers<number | null>()
  child.once('exit', settle)
  return await promise
}

/** Linux: the processes whose parent it is. */
export const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number)

const parentOf = (pid: string): number | undefined => {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined // ended meanwhile
  }
}

/** The command line, arguments kept apart by NUL. */
export const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

/** Whether the process exists and is not a zombie. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

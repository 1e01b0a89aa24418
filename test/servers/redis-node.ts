// One server of several: a Redis or a Valkey with a configuration of its own, or a sentinel.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, findProgramIn } from '../../src/runtime/child.ts'
import { Daemon, runProgram } from './daemon.ts'
import { freePort } from './ports.ts'
import { temporaryFolder } from './temporary.ts'

/** Programs of an engine. */
export interface Engine {
  readonly name: 'redis' | 'valkey'
  readonly server: string
  readonly cli: string
}

const ROOT = join(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const VALKEY = join(CACHE, 'valkey/bookworm-backports/usr/bin')

const engineAt = (name: Engine['name'], folder = ''): Engine | undefined => {
  const place = (program: string): string | undefined =>
    findProgram(`${name}-${program}`) ?? findProgramIn(folder, `${name}-${program}`)
  const [server, cli] = [place('server'), place('cli')]
  return server !== undefined && cli !== undefined ? { name, server, cli } : undefined
}

const findEngine = (name: Engine['name']): Engine | undefined =>
  engineAt(name, name === 'valkey' ? VALKEY : undefined)

const MISSING: Readonly<Record<Engine['name'], string>> = {
  redis:
    'no redis-server and redis-cli on this machine: "sudo sh scripts/test-servers.sh" installs them',
  valkey: 'no valkey-server on this machine: "sudo sh scripts/valkey.sh" fetches it',
}

/**
 * For `skip` of node:test: the reason to skip tests that need it, or `false` where it is there.
 * Throws where `CI` is `true`: there a missing server is a fault and not a reason.
 */
export const skipWithout = (name: Engine['name']): string | false => {
  if (findEngine(name) !== undefined) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING[name])
  return MISSING[name]
}

/** The engine, which a test has made sure of. */
export const engineOf = (name: Engine['name']): Engine => {
  const engine = findEngine(name)
  if (engine === undefined) throw new Error(MISSING[name])
  return engine
}

/** How a node is set up. */
export interface NodeOptions {
  readonly engine: Engine
  readonly password: string
  /** Further lines of its configuration. */
  readonly lines?: (port: number) => readonly string[]
  readonly sentinel?: boolean
}

/** A running node. */
export interface RedisNodeProcess extends AsyncDisposable {
  readonly port: number
  /** Runs a command as an administrator; its answer as redis-cli prints it. */
  command(...command: readonly string[]): Promise<string>
  start(): Promise<void>
  /** Ends it at once, without a word to its clients. */
  kill(): Promise<void>
  /** Suspends it, and resumes it. */
  pause(): void
  resume(): void
}

/** Starts a node. */
export const startNode = async ({
  engine,
  password,
  lines = () => [],
  sentinel = false,
}: NodeOptions): Promise<RedisNodeProcess> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const port = await freePort()
  const config = folder.file('node.conf')
  await mkdir(folder.file('data'))
  const text = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${folder.file('data')}`,
    `requirepass "${password}"`,
    ...lines(port),
  ]
  await writeFile(config, `${text.join('\n')}\n`)
  const command = (...args: readonly string[]): Promise<string> =>
    runProgram(engine.cli, ['-p', String(port), '--no-auth-warning', '-a', password, ...args])
  const daemon = stack.use(
    new Daemon({
      command: engine.server,
      args: sentinel ? [config, '--sentinel'] : [config],
      probe: async () => {
        const answer = await command('PING')
        if (answer.trim() !== 'PONG') throw new Error(answer)
      },
    }),
  )
  await daemon.start()
  const owned = stack.move()
  return {
    port,
    command,
    start: () => daemon.start(),
    kill: () => daemon.kill(),
    pause: () => daemon.signal('SIGSTOP'),
    resume: () => daemon.signal('SIGCONT'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

// A real Envoy for tests, the demo and the bench: started with a bootstrap, waited for, stopped.

import { spawn, type ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Address } from '../../src/config/values.ts'
import { listenerAddress, untilReady } from '../../src/envoy/admin.ts'
import { findEnvoy } from '../../src/envoy/binary.ts'
import { EDGE_LISTENER } from '../../src/envoy/listener.ts'
import { CountersignError } from '../../src/runtime/errors.ts'
import { temporaryFolder } from './temporary.ts'

/** A running Envoy. */
export interface Envoy extends AsyncDisposable {
  readonly pid: number
  /** The port of a listener (default: the public one), also where the bootstrap says 0. */
  port(listener?: string): Promise<number>
  /** Asks the administration interface: `GET /stats?…`, or POST. */
  admin(path: string, method?: 'GET' | 'POST'): Promise<string>
  /** What Envoy has logged so far. */
  log(): string
}

/** What {@link startEnvoy} needs. */
export interface EnvoyOptions {
  /** The bootstrap, YAML or JSON, with an `admin` address. */
  readonly bootstrap: string
  /** The program. Default: the one that {@link findEnvoy} finds. */
  readonly program?: string | undefined
  /** Worker threads; Envoy's own default is one for each CPU. */
  readonly concurrency?: number
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warning' | 'error'
}

const START_LIMIT = 20_000
const STOP_LIMIT = 5_000
const LONGEST_LOG = 4_000_000
const LOG_TAIL = 4_000

/**
 * For `skip` of node:test: the reason to skip tests that need Envoy, or `false` where there is one.
 * Throws where `CI` is `true`: there a missing Envoy is a fault and not a reason.
 */
export const skipWithoutEnvoy = (): string | false => {
  try {
    findEnvoy()
    return false
  } catch (cause) {
    const expected = cause instanceof CountersignError && cause.code === 'envoy-missing'
    if (!expected || process.env['CI'] === 'true') throw cause
    return cause.message
  }
}

/** Starts Envoy and waits until it accepts connections; what it logged is in the error if not. */
export const startEnvoy = async (options: EnvoyOptions): Promise<Envoy> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const file = folder.file('envoy.yaml')
  await writeFile(file, options.bootstrap, { mode: 0o600 })
  const { child, log } = launch(file, options)
  stack.defer(() => stop(child))
  const admin = adminOf(options.bootstrap)
  await ready(child, admin, log)
  const owned = stack.move()
  return {
    pid: child.pid ?? 0,
    port: async (listener = EDGE_LISTENER) =>
      Number(/\d+$/.exec(await listenerAddress(admin, listener))?.[0]),
    admin: (path, method = 'GET') => ask(admin, path, method),
    log,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Runs `envoy --mode validate` of a program; throws with what Envoy says against the bootstrap. */
export const validateBootstrap = async (bootstrap: string, program?: string): Promise<void> => {
  await using folder = await temporaryFolder()
  const file = folder.file('envoy.yaml')
  await writeFile(file, bootstrap, { mode: 0o600 })
  const { child, log } = launch(file, { bootstrap, program }, ['--mode', 'validate'])
  const code = await exited(child)
  if (code !== 0) throw new Error(`envoy --mode validate failed:\n${log().slice(-LOG_TAIL)}`)
}

interface Launched {
  readonly child: ChildProcess
  readonly log: () => string
}

const launch = (
  file: string,
  { program, concurrency = 2, logLevel = 'warning' }: EnvoyOptions,
  extra: readonly string[] = [],
): Launched => {
  const binary = findEnvoy(program)
  const child = spawn(
    binary,
    [
      '--config-path',
      file,
      '--disable-hot-restart',
      '--concurrency',
      String(concurrency),
      '--log-level',
      logLevel,
      ...extra,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let collected = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      collected = (collected + chunk).slice(-LONGEST_LOG)
    })
  }
  // An Envoy must not outlive a test process that ends without disposing of it.
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  child.once('close', () => process.off('exit', kill))
  child.once('error', (cause) => {
    collected += `\n${binary}: ${cause.message}`
  })
  return { child, log: () => collected }
}

const hasEnded = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid === undefined || exitCode !== null || signalCode !== null

const exited = async (child: ChildProcess): Promise<number | null> => {
  if (hasEnded(child)) return child.exitCode
  return await new Promise((resolve) => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return
  const gone = exited(child)
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
  await gone
  clearTimeout(timer)
}

const adminSchema = z.object({
  admin: z.object({
    address: z.union([
      z.object({ pipe: z.object({ path: z.string() }) }),
      z.object({ socket_address: z.object({ address: z.string(), port_value: z.number() }) }),
    ]),
  }),
})

const adminOf = (bootstrap: string): Address => {
  const { address } = adminSchema.parse(parse(bootstrap)).admin
  return 'pipe' in address
    ? { kind: 'unix', path: address.pipe.path }
    : {
        kind: 'tcp',
        host: address.socket_address.address,
        port: address.socket_address.port_value,
      }
}

const ask = async (admin: Address, path: string, method: string): Promise<string> => {
  const target = admin.kind === 'unix' ? { socketPath: admin.path } : admin
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ ...target, path, method, agent: false })
      .once('error', reject)
      .once('response', resolve)
      .end()
  })
  const body = await text(response)
  if (response.statusCode === 200) return body
  throw new Error(`Envoy's admin answers ${response.statusCode} to ${path}: ${body}`)
}

const ready = async (child: ChildProcess, admin: Address, log: () => string): Promise<void> => {
  const ended = new AbortController()
  const end = exited(child).then(() => ended.abort())
  const limit = AbortSignal.timeout(START_LIMIT)
  try {
    await Promise.race([untilReady(admin, AbortSignal.any([limit, ended.signal])), end])
    if (ended.signal.aborted) throw new Error('Envoy ended while starting')
  } catch (cause) {
    const what = ended.signal.aborted ? 'ended while starting' : 'did not become ready'
    throw new Error(`Envoy ${what}:\n${log().slice(-LOG_TAIL)}`, { cause })
  }
}

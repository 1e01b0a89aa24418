// `countersign up`: authz, the signer where a route forwards certificates, and a real Envoy as
// children of one process, for a laptop or a single VM.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import type { EnvoyConfig } from '../../configuration/envoy-schema.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import { readConfig } from '../../configuration/parse.ts'
import { ConfigurationError, formatWarning } from '../../config/problem.ts'
import type { Address } from '../../config/values.ts'
import type { Config } from '../../configuration/schema.ts'
import { withWorkers } from '../../configuration/workers.ts'
import type { Workers } from '../../configuration/workers-schema.ts'
import { listenerAddress } from '../../envoy/admin.ts'
import { findEnvoy } from '../../envoy/binary.ts'
import { renderBootstrap } from '../../envoy/bootstrap.ts'
import { forwardsCertificates } from '../../envoy/identity-certificate.ts'
import { EDGE_LISTENER } from '../../envoy/listener.ts'
import { refusalRate } from '../../envoy/refusal-log.ts'
import { requireEnvoyVersion } from '../../envoy/version.ts'
import { Child } from '../../runtime/child.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import { commandArguments } from '../../runtime/installation.ts'
import { envoyFileFindings } from '../../tools/validation/site.ts'
import { configOption, workersOption } from '../options.ts'
import { endSignal } from '../signals.ts'
import { adminAddress } from './admin-socket.ts'
import { EnvoyProcess } from './envoy-process.ts'
import { addressInUse, lockRun, requireFreePort } from './other-run.ts'

interface Options {
  readonly config: string
  readonly signerConfig?: string
  readonly envoy?: string
  readonly envoyLogLevel: string
  readonly workers?: Workers
}

// authz waits 10 s for what is in flight.
const GRACE_MS = 12_000

const WORKERS = 'how many processes of authz: a number, or auto; default: `workers`'

/** The command. */
export const upCommand = (): Command =>
  new Command('up')
    .description(
      'run authz, the signer (where a route forwards certificates) and Envoy together until a signal ends them',
    )
    .addOption(configOption())
    .option(
      '--signer-config <file>',
      'the configuration of the signer; default: signer.yaml next to the configuration',
    )
    .option('--envoy <program>', 'Envoy; default: ENVOY_BIN, PATH, or the one that set-up fetched')
    .option('--envoy-log-level <level>', 'how much Envoy logs', 'warning')
    .addOption(workersOption(WORKERS))
    .action(up)

const up = async (options: Options): Promise<void> => {
  const signal = endSignal()
  await using stack = new AsyncDisposableStack()
  const ended = run(options, stack)
  const how = await Promise.race([signal, ended])
  if (process.connected) process.disconnect() // or the channel would keep the process alive
  if (how === 'SIGTERM' || how === 'SIGINT') return
  throw new CountersignError('child-exited', how)
}

// A signal has come during the start: nothing more is started, and the result is not used.
const ENDED = 'ended by a signal'

/** Starts everything into the stack; resolves with how the first child ended. */
const run = async (options: Options, stack: AsyncDisposableStack): Promise<string> => {
  const { config: file, envoyLogLevel: logLevel } = options
  const { config, envoy } = await prepare(file, options.workers)
  const program = findEnvoy(options.envoy)
  await requireEnvoyVersion(program, config)
  const lock = await lockRun(dirname(file))
  if (lock !== undefined) stack.use(lock)
  const { address: edge, redirect } = envoy.listener
  for (const address of [edge, redirect?.address ?? edge]) await requireFreePort(address)
  const folder = await mkdtemp(join(tmpdir(), 'countersign-')) // mode 0700
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const admin = await adminAddress(envoy, folder, stack)
  const bootstrap = await writeBootstrap(folder, config, admin)

  const polling = new AbortController()
  stack.defer(() => polling.abort())
  if (stack.disposed) return ENDED
  // authz starts first and ends last, so that Envoy never runs without it.
  const services = startServices(options, config).map((service) => stack.use(service))
  for (const signal of ['SIGHUP', 'SIGUSR2'] as const) {
    process.on(signal, () => services.forEach((service) => service.signal(signal)))
  }
  await Promise.all(services.map((service) => service.firstMessage()))
  if (stack.disposed) return ENDED
  const print = (line: string): void => console.error(line)
  const started = { program, bootstrap, admin, logLevel, grace: GRACE_MS, print }
  const proxy = stack.use(new EnvoyProcess(started))
  const servicesEnded = Promise.race(services.map((service) => service.ended))
  const starting = ready(proxy, edge, polling.signal)
  const early = await Promise.race([servicesEnded, starting])
  if (early !== undefined) return early
  const address = await listenerAddress(admin, EDGE_LISTENER)
  console.error(`countersign: ready, listening on https://${address}`)
  return await Promise.race([servicesEnded, proxy.ended])
}

/** Waits until Envoy is ready. Its port may have been taken since it was looked at. */
const ready = async (proxy: EnvoyProcess, address: Address, signal: AbortSignal): Promise<void> => {
  try {
    await proxy.ready(signal)
  } catch (cause) {
    const taken = describeError(cause).includes('address already in use')
    throw taken ? await addressInUse(address) : cause
  }
}

interface Prepared {
  readonly config: Config
  readonly envoy: EnvoyConfig
}

const prepare = async (file: string, workers: Workers | undefined): Promise<Prepared> => {
  const files = new ConfigurationFiles()
  const { config: read, locate } = await readConfig(file, files)
  const config = withWorkers(read, locate, workers)
  const { envoy } = config
  if (envoy === undefined) {
    throw new ConfigurationError([
      locate([], 'needs an "envoy" section, from which Envoy is set up'),
    ])
  }
  // authz and the signer log what is wrong with their own files.
  for (const { path, message } of await envoyFileFindings(config, {
    files,
    now: systemClock.now(),
  }))
    console.error(formatWarning(locate(path, message)))
  return { config, envoy }
}

const writeBootstrap = async (folder: string, config: Config, admin: Address): Promise<string> => {
  const bootstrapFile = join(folder, 'envoy.yaml')
  const rateFile = join(folder, 'rate.json')
  await writeFile(rateFile, refusalRate())
  await writeFile(bootstrapFile, renderBootstrap(config, { rateFile, admin, exclusive: true }))
  return bootstrapFile
}

const startServices = (options: Options, parsed: Config): readonly Child[] => {
  const { config, signerConfig, workers } = options
  const signer = resolve(signerConfig ?? join(dirname(config), 'signer.yaml'))
  const more = workers === undefined ? [] : ['--workers', String(workers)]
  const authz = startCountersign('authz', config, more)
  return forwardsCertificates(parsed) ? [authz, startCountersign('signer', signer)] : [authz]
}

const startCountersign = (
  command: 'authz' | 'signer',
  config: string,
  more: readonly string[] = [],
): Child =>
  new Child({
    name: command,
    command: process.execPath,
    args: [...commandArguments, command, '--config', config, ...more],
    ipc: true,
    grace: GRACE_MS,
  })

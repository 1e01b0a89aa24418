// `countersign up`: authz, the signer where a route forwards certificates, and a real Envoy as
// children of one process, for a laptop or a single VM.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import { ConfigurationError } from '../config/problem.ts'
import type { Config } from '../configuration/schema.ts'
import { listenerAddress, untilReady } from '../envoy/admin.ts'
import { findEnvoy } from '../envoy/binary.ts'
import { renderBootstrap } from '../envoy/bootstrap.ts'
import { forwardsCertificates } from '../envoy/identity-certificate.ts'
import { EDGE_LISTENER } from '../envoy/listener.ts'
import { refusalRate } from '../envoy/refusal-log.ts'
import { Child } from '../runtime/child.ts'
import { CountersignError } from '../runtime/errors.ts'
import { commandFile } from '../runtime/installation.ts'
import { configOption } from './options.ts'
import { endSignal } from './signals.ts'

interface Options {
  readonly config: string
  readonly signerConfig?: string
  readonly envoy?: string
  readonly envoyLogLevel: string
}

// authz waits 10 s for what is in flight.
const GRACE_MS = 12_000
const READY_MS = 30_000
// Of its access log; Envoy's own default is 10 s.
const FLUSH_MS = '1000'

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
    .action(up)

const up = async (options: Options): Promise<void> => {
  const { config, envoy: program, envoyLogLevel } = options
  const signal = endSignal()
  const { config: parsed, envoy } = await prepare(config)
  const signerConfig = resolve(options.signerConfig ?? join(dirname(config), 'signer.yaml'))
  const envoyProgram = findEnvoy(program)
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'countersign-')) // mode 0700
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const bootstrapFile = join(folder, 'envoy.yaml')
  const rateFile = join(folder, 'rate.json')
  await writeFile(rateFile, refusalRate())
  await writeFile(bootstrapFile, renderBootstrap(parsed, { rateFile }))

  const polling = new AbortController()
  stack.defer(() => polling.abort())

  const run = async (): Promise<string> => {
    // authz starts first and ends last, so that Envoy never runs without it.
    const services = [
      stack.use(startCountersign('authz', config)),
      ...(forwardsCertificates(parsed)
        ? [stack.use(startCountersign('signer', signerConfig))]
        : []),
    ]
    process.on('SIGHUP', () => services.forEach((service) => service.signal('SIGHUP')))
    await Promise.all(services.map((service) => service.firstMessage()))
    const proxy = stack.use(startEnvoy(envoyProgram, bootstrapFile, envoyLogLevel))
    const ended = Promise.race([...services, proxy].map((child) => child.ended))
    const ready = untilReady(
      envoy.admin,
      AbortSignal.any([polling.signal, AbortSignal.timeout(READY_MS)]),
    )
    const early = await Promise.race([ended, ready])
    if (typeof early === 'string') return early
    const address = await listenerAddress(envoy.admin, EDGE_LISTENER)
    console.error(`countersign: ready, listening on https://${address}`)
    return await ended
  }
  const how = await Promise.race([signal, run()])
  if (how !== 'SIGTERM' && how !== 'SIGINT') throw new CountersignError('child-exited', how)
}

interface Prepared {
  readonly config: Config
  readonly envoy: EnvoyConfig
}

const prepare = async (file: string): Promise<Prepared> => {
  const { config, locate } = await readConfig(file, new ConfigurationFiles())
  const { envoy } = config
  if (envoy === undefined) {
    throw new ConfigurationError([
      locate([], 'needs an "envoy" section, from which Envoy is set up'),
    ])
  }
  if (envoy.admin.kind === 'unix') await mkdir(dirname(envoy.admin.path), { recursive: true })
  return { config, envoy }
}

const startCountersign = (command: 'authz' | 'signer', config: string): Child =>
  new Child({
    name: command,
    command: process.execPath,
    args: [commandFile, command, '--config', config],
    ipc: true,
    grace: GRACE_MS,
  })

const startEnvoy = (program: string, bootstrap: string, logLevel: string): Child =>
  new Child({
    name: 'Envoy',
    command: program,
    args: [
      '--config-path',
      bootstrap,
      '--log-level',
      logLevel,
      '--file-flush-interval-msec',
      FLUSH_MS,
      '--disable-hot-restart',
    ],
    ipc: false,
    grace: GRACE_MS,
  })

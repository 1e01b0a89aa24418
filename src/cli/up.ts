// `countersign up`: authz and a real Envoy as children of one process, for a laptop or a single VM.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../config/parse.ts'
import { ConfigurationError } from '../config/problem.ts'
import type { EnvoyConfig } from '../config/envoy-schema.ts'
import { listenerAddress, untilReady } from '../envoy/admin.ts'
import { findEnvoy } from '../envoy/binary.ts'
import { renderBootstrap } from '../envoy/bootstrap.ts'
import { EDGE_LISTENER } from '../envoy/listener.ts'
import { Child } from '../runtime/child.ts'
import { CountersignError } from '../runtime/errors.ts'
import { configOption } from './options.ts'
import { endSignal } from './signals.ts'

interface Options {
  readonly config: string
  readonly envoy?: string
  readonly envoyLogLevel: string
}

// authz waits 10 s for what is in flight.
const GRACE_MS = 12_000
const READY_MS = 30_000

/** The command. */
export const upCommand = (): Command =>
  new Command('up')
    .description('run authz and Envoy together, with one configuration, until a signal ends both')
    .addOption(configOption())
    .option('--envoy <program>', 'Envoy; default: ENVOY_BIN, PATH, or the one that set-up fetched')
    .option('--envoy-log-level <level>', 'how much Envoy logs', 'warning')
    .action(up)

const up = async ({ config, envoy: program, envoyLogLevel }: Options): Promise<void> => {
  const signal = endSignal()
  const { envoy, bootstrap } = await prepare(config)
  const envoyProgram = findEnvoy(program)
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'countersign-')) // mode 0700
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const bootstrapFile = join(folder, 'envoy.yaml')
  await writeFile(bootstrapFile, bootstrap)

  const run = async (): Promise<string> => {
    // authz first and last: there is no moment in which Envoy runs and has nobody to ask.
    const authz = stack.use(startAuthz(config))
    process.on('SIGHUP', () => authz.signal('SIGHUP'))
    await authz.firstMessage()
    const proxy = stack.use(startEnvoy(envoyProgram, bootstrapFile, envoyLogLevel))
    await authz.orEnded(proxy.orEnded(untilReady(envoy.admin, AbortSignal.timeout(READY_MS))))
    const address = await listenerAddress(envoy.admin, EDGE_LISTENER)
    console.error(`countersign: ready, listening on https://${address}`)
    return await Promise.race([authz.ended, proxy.ended])
  }
  const how = await Promise.race([signal, run()])
  if (how !== 'SIGTERM' && how !== 'SIGINT') throw new CountersignError('child-exited', how)
}

const prepare = async (file: string): Promise<{ envoy: EnvoyConfig; bootstrap: string }> => {
  const { config, locate } = await readConfig(file, new ConfigurationFiles())
  const { envoy } = config
  if (envoy === undefined) {
    throw new ConfigurationError([
      locate([], 'needs an "envoy" section, from which Envoy is set up'),
    ])
  }
  if (envoy.admin.kind === 'unix') await mkdir(dirname(envoy.admin.path), { recursive: true })
  return { envoy, bootstrap: renderBootstrap(config) }
}

const startAuthz = (config: string): Child =>
  new Child({
    name: 'authz',
    command: process.execPath,
    args: [resolve(import.meta.dirname, '../countersign.ts'), 'authz', '--config', config],
    ipc: true,
    grace: GRACE_MS,
  })

const startEnvoy = (program: string, bootstrap: string, logLevel: string): Child =>
  new Child({
    name: 'Envoy',
    command: program,
    args: ['--config-path', bootstrap, '--log-level', logLevel, '--disable-hot-restart'],
    ipc: false,
    grace: GRACE_MS,
  })

// `countersign audit forward`: sends an audit log to the sinks that its configuration gives to a separate process, until a signal ends
// it. The process that writes the log needs no network then.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  startForwarders,
  type ForwardedLog,
  type Forwarders,
} from '../../audit/forward/forwarders.ts'
import { readMaterial } from '../../audit/forward/material.ts'
import { countMetrics } from '../../audit/forward/metrics.ts'
import { positionFile } from '../../audit/forward/position.ts'
import { filesOf, forwardedSchema } from '../../audit/forward/schema.ts'
import { parseYaml } from '../../config/document.ts'
import { ConfigurationError } from '../../config/problem.ts'
import { addressSchema, formatAddress } from '../../config/values.ts'
import { systemClock } from '../../runtime/clock.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { describeFileFault } from '../../runtime/file-fault.ts'
import { Serving } from '../../runtime/health.ts'
import { startAdminServer } from '../../runtime/http/admin.ts'
import type { ListenAddress } from '../../runtime/listen.ts'
import { createLogger, type Logger } from '../../runtime/logger.ts'
import { lockPath } from '../../runtime/path-lock.ts'
import type { CommandContext } from '../context.ts'
import { reportFailure } from '../report.ts'
import { endSignal } from '../signals.ts'

interface Options {
  readonly config: string
  readonly admin?: ListenAddress
}

const SOCKET_MODE = 0o660

/** The command. */
export const forwardCommand = (context: CommandContext): Command =>
  new Command('forward')
    .description(
      'send an audit log to the sinks with "process: separate", until a signal ends it. Run it as the user that writes the log',
    )
    .addOption(
      new Option('-c, --config <file>', 'countersign.yaml or signer.yaml; only its "audit" is read')
        .makeOptionMandatory()
        .argParser((file) => resolve(file)),
    )
    .addOption(
      new Option(
        '--admin <address>',
        'serve health and metrics here: HOST:PORT or unix:PATH',
      ).argParser(addressOf),
    )
    .action(async (options: Options) => {
      try {
        await run(options)
      } catch (cause) {
        reportFailure(context, cause)
      }
    })

const addressOf = (text: string): ListenAddress => {
  const address = addressSchema.safeParse(text)
  if (!address.success) throw new InvalidArgumentError('It must be HOST:PORT or unix:PATH.')
  return address.data
}

const run = async ({ config, admin }: Options): Promise<void> => {
  const logger = createLogger('info').child({ component: 'audit-forward' })
  const forwarded = await readForwarded(config)
  await using stack = new AsyncDisposableStack()
  for (const [name, sink] of Object.entries(forwarded.sinks)) {
    stack.use(locked(forwarded.log, name))
    await readMaterial(filesOf(sink))
  }
  const parts = { clock: systemClock, logger, skipped: () => undefined } // it has logged them
  const forwarders = stack.use(await startForwarders(forwarded, parts))
  const ended = endSignal()
  if (admin !== undefined) await serve(admin, forwarders, stack, logger)
  logger.info({ log: forwarded.log, sinks: Object.keys(forwarded.sinks) }, 'forwarding')
  await ended
}

const readForwarded = async (config: string): Promise<ForwardedLog> => {
  let text: string
  try {
    text = await readFile(config, 'utf8')
  } catch (cause) {
    throw new CountersignError('file-unreadable', describeFileFault(config, cause), { cause })
  }
  const parsed = parseYaml(config, text, forwardedSchema)
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  const { file, sinks } = parsed.value.audit
  const separate = Object.entries(sinks).filter(([, sink]) => sink.process === 'separate')
  if (separate.length > 0) return { log: file, sinks: Object.fromEntries(separate) }
  const message = 'has no sink with "process: separate", so there is nothing to forward'
  throw new ConfigurationError([parsed.locate(['audit', 'sinks'], message)])
}

/** Two forwarders of one sink would send everything twice, and move the position back. */
const locked = (log: string, sink: string): Disposable => {
  const file = `${positionFile(log, sink)}.lock`
  const lock = lockPath(file)
  if (lock !== undefined) return lock
  const message = `another process forwards ${log} to the sink "${sink}" (${file} is locked)`
  throw new CountersignError('audit-unwritable', message)
}

const serve = async (
  address: ListenAddress,
  forwarders: Forwarders,
  stack: AsyncDisposableStack,
  logger: Logger,
): Promise<void> => {
  const serving = new Serving()
  const failing = (): readonly string[] =>
    Object.entries(forwarders.counts()).flatMap(([name, { failing: is }]) => (is ? [name] : []))
  const sinks = {
    name: 'sinks',
    condition: () =>
      failing().length === 0
        ? ({ state: 'ok' } as const)
        : ({ state: 'warning', reason: `not taking records: ${failing().join(', ')}` } as const),
  }
  const server = stack.use(
    await startAdminServer({
      address,
      mode: SOCKET_MODE,
      checks: [sinks, serving],
      metrics: countMetrics(() => forwarders.counts()),
      clock: systemClock,
      logger,
    }),
  )
  serving.started()
  logger.info({ address: formatAddress(server.address) }, 'listening')
}

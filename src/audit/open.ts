// Opens an audit log as it is configured, for authz and for the signer, and begins to send it where it has sinks.

import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metric } from '../runtime/metrics/metric.ts'
import { Checkpoints } from './checkpoints.ts'
import type { CheckpointsConfig, RotateConfig } from './file-schema.ts'
import { startForwardThread } from './forward/forward-thread.ts'
import type { Skipped } from './forward/forwarder.ts'
import { readMaterial } from './forward/material.ts'
import { sinkMetrics } from './forward/metrics.ts'
import { filesOf, type SinksConfig, type SpoolConfig } from './forward/schema.ts'
import type { LogWriter } from './opening.ts'
import { Rotation } from './rotation.ts'
import { JsonLinesSink, type AuditSink } from './sink.ts'
import { Spool } from './spool.ts'

/** The part of `audit` that both processes have. */
export interface AuditFileConfig {
  readonly file?: string | undefined
  readonly rotate?: RotateConfig | undefined
  readonly checkpoints?: CheckpointsConfig | undefined
  readonly sinks?: SinksConfig | undefined
  readonly spool?: SpoolConfig | undefined
}

/** An open audit log. */
export interface OpenAudit extends AsyncDisposable {
  readonly sink: JsonLinesSink
  /** Of what waits for sinks. */
  readonly metrics: readonly Metric[]
}

/**
 * Opens it.
 *
 * @throws CountersignError `audit-unwritable`; `file-unreadable`, `file-exposed` or `audit-key-unusable` for the key of checkpoints;
 *   `file-unreadable` or `configuration-invalid` for the files of sinks
 */
export const openAudit = async (
  { file, rotate, checkpoints, sinks = {}, spool: spoolConfig }: AuditFileConfig,
  writer: LogWriter,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<OpenAudit> => {
  await using stack = new AsyncDisposableStack()
  const hasSinks = Object.keys(sinks).length > 0
  const spool =
    hasSinks && file !== undefined && spoolConfig !== undefined
      ? stack.use(new Spool({ path: file, sinks, spool: spoolConfig, clock, logger }))
      : undefined
  const rotation =
    rotate && file !== undefined ? new Rotation(file, rotate, logger, spool) : undefined
  const own = Object.entries(sinks).filter(([, sink]) => sink.process === 'own')
  for (const [, sink] of own) await readMaterial(filesOf(sink))
  const sink = stack.use(
    new JsonLinesSink(file, {
      writer,
      rotation,
      checkpoints: checkpoints && (await Checkpoints.open(checkpoints, logger)),
      spool,
    }),
  )
  await spool?.start(() => sink.tail)
  const forwarders =
    file === undefined || own.length === 0
      ? undefined
      : startForwardThread(
          { log: file, sinks: Object.fromEntries(own) },
          { logger, skipped: (skipped) => recordSkipped(sink, skipped, logger) },
        )
  if (forwarders !== undefined) stack.use(forwarders)
  const metrics = sinkMetrics({
    counts: () => forwarders?.counts() ?? {},
    backlogs: () => spool?.backlogs() ?? new Map(),
    maxBytes: hasSinks ? spoolConfig?.maxBytes : undefined,
  })
  const running = stack.move()
  return { sink, metrics, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const recordSkipped = (
  sink: AuditSink,
  { sink: name, cause, chain, first, last, detail }: Skipped,
  logger: Logger,
): void => {
  const records = { chain, first, last }
  sink
    .write({ event: 'records-skipped', sink: name, cause, records, detail })
    .catch((failure: unknown) => logger.error({ err: failure }, 'audit event lost'))
}

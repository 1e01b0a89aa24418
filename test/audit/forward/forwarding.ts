// A real audit log, a sink in memory, and a forwarder between them.

import { NotTaken, type Delivery } from '../../../src/audit/forward/delivery.ts'
import { Forwarder, type Skipped } from '../../../src/audit/forward/forwarder.ts'
import type { LogRecord } from '../../../src/audit/forward/log-reader.ts'
import { positionFile } from '../../../src/audit/forward/position.ts'
import { sinksSchema, type SpoolConfig } from '../../../src/audit/forward/schema.ts'
import type { RotateConfig } from '../../../src/audit/file-schema.ts'
import { Rotation } from '../../../src/audit/rotation.ts'
import { JsonLinesSink } from '../../../src/audit/sink.ts'
import { Spool } from '../../../src/audit/spool.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'
import { loaded } from '../../tools/audit-log/logs.ts'

/** Takes batches, or does what a test wants. */
export class MemoryDelivery implements Delivery {
  readonly taken: LogRecord[] = []
  /** Throws what the sink refuses. */
  refuse: (batch: readonly LogRecord[]) => void = () => undefined
  attempts = 0

  async send(batch: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    this.attempts += 1
    await Promise.resolve()
    signal.throwIfAborted()
    this.refuse(batch)
    this.taken.push(...batch)
  }

  /** The generations of the events that it has, in the order in which they came. */
  get generations(): readonly number[] {
    return this.taken.flatMap(({ line }) => {
      const { generation }: { readonly generation?: number } = JSON.parse(line.toString())
      return generation === undefined ? [] : [generation]
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A refusal as of status 400. */
export const badRequest = (): NotTaken => new NotTaken('400', { isAboutContent: true })

const SINKS = sinksSchema.parse({
  siem: { process: 'separate', http: { url: 'https://siem.example.org' } },
})

/** A log whose records wait for the sink "siem". */
export const openLog = async (
  folder: TemporaryFolder,
  {
    rotate = { size: 65_536 },
    spool,
  }: {
    readonly rotate?: Partial<RotateConfig>
    readonly spool?: Partial<SpoolConfig>
  } = {},
) => {
  const path = folder.file('audit.jsonl')
  const { logger } = memoryLogger()
  const bound: SpoolConfig = { maxBytes: 1_073_741_824, whenFull: 'refuse', ...spool }
  const waiting = new Spool({ path, sinks: SINKS, spool: bound, clock: systemClock, logger })
  const rotation = new Rotation(path, { gzip: false, ...rotate }, logger, waiting)
  const log = new JsonLinesSink(path, { rotation, spool: waiting })
  await waiting.start(() => log.tail)
  let generation = 0
  return {
    log,
    spool: waiting,
    rotation,
    /** Writes so many events, each with the next generation. */
    async write(count: number): Promise<void> {
      for (let index = 0; index < count; index++) await log.write(loaded((generation += 1)))
    },
    [Symbol.dispose]() {
      log[Symbol.dispose]()
      waiting[Symbol.dispose]()
    },
  }
}

/** Forwards the log of the folder. */
export const startForwarder = (
  folder: TemporaryFolder,
  delivery: Delivery,
  batch: Partial<{ records: number; bytes: number; every: number }> = {},
) => {
  const log = folder.file('audit.jsonl')
  const { logger, lines } = memoryLogger()
  const skipped: Skipped[] = []
  const forwarder = new Forwarder({
    name: 'siem',
    log,
    positionFile: positionFile(log, 'siem'),
    config: { batch: { records: 100, bytes: 1_048_576, every: 10, ...batch }, timeout: 30_000 },
    delivery,
    skipped: (one) => void skipped.push(one),
    clock: systemClock,
    logger,
    backoff: { first: 1, longest: 20 },
  })
  forwarder.run()
  return {
    forwarder,
    skipped,
    lines,
    [Symbol.asyncDispose]: async () => await forwarder[Symbol.asyncDispose](),
  }
}

/** 1 to a number. */
export const upTo = (last: number): readonly number[] =>
  Array.from({ length: last }, (_, index) => index + 1)

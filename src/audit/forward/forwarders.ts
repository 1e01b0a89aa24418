// The forwarders of one log, one for each sink: the same in the thread of authz and in `countersign audit forward`.

import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Delivery } from './delivery.ts'
import { Forwarder, type ForwardCounts, type Skipped } from './forwarder.ts'
import { httpDelivery } from './http-batch.ts'
import { positionFile } from './position.ts'
import type { SinkConfig, SinksConfig } from './schema.ts'
import { syslogDelivery } from './syslog.ts'

/** What is sent where. */
export interface ForwardedLog {
  /** The audit file. */
  readonly log: string
  readonly sinks: SinksConfig
}

/** The counters of each sink. */
export type SinkCounts = Readonly<Record<string, ForwardCounts>>

/** Running forwarders. */
export interface Forwarders extends AsyncDisposable {
  counts(): SinkCounts
}

/** Starts them. */
export const startForwarders = async (
  { log, sinks }: ForwardedLog,
  parts: {
    readonly clock: Clock
    readonly logger: Logger
    readonly skipped: (skipped: Skipped) => void
  },
): Promise<Forwarders> => {
  await using stack = new AsyncDisposableStack()
  const forwarders = new Map<string, Forwarder>()
  for (const [name, config] of Object.entries(sinks)) {
    const delivery = await deliveryOf(config, parts.clock)
    const file = positionFile(log, name)
    const options = { name, log, positionFile: file, config, delivery, ...parts }
    forwarders.set(name, stack.use(new Forwarder(options)))
  }
  for (const forwarder of forwarders.values()) forwarder.run()
  const running = stack.move()
  return {
    counts: () =>
      Object.fromEntries([...forwarders].map(([name, forwarder]) => [name, forwarder.counts()])),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const deliveryOf = async ({ syslog, http, otlp }: SinkConfig, clock: Clock): Promise<Delivery> => {
  if (syslog !== undefined) return syslogDelivery(syslog, clock)
  if (http !== undefined) return httpDelivery(http, clock)
  if (otlp === undefined) throw new Error('a sink without a kind') // the schema refuses it
  const { otlpDelivery } = await import('./otlp.ts')
  return otlpDelivery(otlp, clock)
}

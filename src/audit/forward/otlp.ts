// Batches to an OpenTelemetry collector: OTLP logs over HTTP, in protobuf. The body of a log record is the line of the log.

import type { Clock } from '../../runtime/clock.ts'
import { otlpLogsEncoder, rejectedRecords } from '../../runtime/tracing/otlp-logs.ts'
import { VERSION } from '../../runtime/version.ts'
import { NotTaken, type Delivery } from './delivery.ts'
import { HttpPost } from './http-post.ts'
import { recordFields } from './record-fields.ts'
import type { SinkConfig } from './schema.ts'

/** Sends to a collector. */
export const otlpDelivery = (config: NonNullable<SinkConfig['otlp']>, clock: Clock): Delivery => {
  const post = new HttpPost(config.url, config, clock)
  const encode = otlpLogsEncoder({ 'service.name': 'countersign', 'service.version': VERSION })
  return {
    async send(batch, signal) {
      const now = clock.now()
      const records = batch.map(({ line, chain, sequence, hash }) => {
        const { time, event } = recordFields(line)
        const at = Date.parse(time)
        return {
          time: Number.isNaN(at) ? now : at,
          body: line.toString('utf8'),
          event: `countersign.audit.${event || 'unknown'}`,
          attributes: {
            'countersign.audit.chain': chain,
            'countersign.audit.seq': sequence,
            'countersign.audit.hash': hash,
          },
        }
      })
      const bytes = encode(records, now)
      const answer = await post.send({ type: 'application/x-protobuf', bytes }, signal)
      const { count, message } = rejectedRecords(answer.body)
      if (count > 0) {
        throw new NotTaken(
          `${config.url} rejected ${count} of ${batch.length} records: ${message}`,
          {
            isAboutContent: true,
          },
        )
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(post[Symbol.dispose]()),
  }
}

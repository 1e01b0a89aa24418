// Batches over HTTP: NDJSON, a JSON array, or CloudEvents 1.0 in batch mode. Records are put into the body as they are in the log.

import type { Clock } from '../../runtime/clock.ts'
import type { Delivery } from './delivery.ts'
import { HttpPost, type PostBody } from './http-post.ts'
import type { LogRecord } from './log-reader.ts'
import { recordFields } from './record-fields.ts'
import type { SinkConfig } from './schema.ts'

type HttpConfig = NonNullable<SinkConfig['http']>

/** Sends to an HTTP server. */
export const httpDelivery = (config: HttpConfig, clock: Clock): Delivery => {
  const post = new HttpPost(config.url, config, clock)
  const bodyOf = BODIES[config.format]
  return {
    async send(batch, signal) {
      await post.send(bodyOf(batch), signal)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(post[Symbol.dispose]()),
  }
}

const COMMA = Buffer.from(',')
const LINE_FEED = Buffer.from('\n')
const BEGIN = Buffer.from('[')
const END = Buffer.from(']')
const BRACE = Buffer.from('}')

const ndjson = (batch: readonly LogRecord[]): PostBody => ({
  type: 'application/x-ndjson',
  bytes: Buffer.concat(batch.flatMap(({ line }) => [line, LINE_FEED])),
})

const arrayOf = (parts: readonly Buffer[]): Buffer =>
  Buffer.concat([
    BEGIN,
    ...parts.flatMap((part, index) => (index === 0 ? [part] : [COMMA, part])),
    END,
  ])

const json = (batch: readonly LogRecord[]): PostBody => ({
  type: 'application/json',
  bytes: arrayOf(batch.map(({ line }) => line)),
})

// CloudEvents JSON format §4; its `sequence` extension is compared as text.
const SEQUENCE_DIGITS = 16

/** `source` and `id` together are the key by which a receiver finds repetitions (CloudEvents §3.1.1). */
const cloudEvent = ({ line, chain, sequence, hash }: LogRecord): Buffer => {
  const { time, event } = recordFields(line)
  const attributes = JSON.stringify({
    specversion: '1.0',
    type: `countersign.audit.${event || 'unknown'}`,
    source: `urn:countersign:audit:${chain}`,
    id: hash,
    ...(time === '' ? {} : { time }),
    sequence: `${sequence}`.padStart(SEQUENCE_DIGITS, '0'),
    datacontenttype: 'application/json',
  })
  return Buffer.concat([Buffer.from(`${attributes.slice(0, -1)},"data":`), line, BRACE])
}

const cloudEvents = (batch: readonly LogRecord[]): PostBody => ({
  type: 'application/cloudevents-batch+json; charset=UTF-8',
  bytes: arrayOf(batch.map(cloudEvent)),
})

const BODIES = { ndjson, json, cloudevents: cloudEvents } satisfies Record<
  HttpConfig['format'],
  (batch: readonly LogRecord[]) => PostBody
>

// Log records as a request of OTLP (opentelemetry-proto, logs/v1), and what a collector answers. Loaded only where a sink needs it.

import { SeverityNumber, type HrTime } from '@opentelemetry/api'
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { SpanAttributes } from './span.ts'

/** One record. */
export interface OtlpLogRecord {
  /** When it happened, in milliseconds since the epoch. */
  readonly time: number
  readonly body: string
  /** `event_name` of OTLP. */
  readonly event: string
  readonly attributes: SpanAttributes
}

const timeOf = (milliseconds: number): HrTime => {
  const seconds = Math.floor(milliseconds / 1_000)
  return [seconds, (milliseconds - seconds * 1_000) * 1_000_000]
}

/**
 * Makes the encoder of requests.
 *
 * @param resource what the records are of: `service.name` and the like
 */
export const otlpLogsEncoder = (
  resource: SpanAttributes,
): ((records: readonly OtlpLogRecord[], now: number) => Buffer) => {
  const of = resourceFromAttributes({ ...resource })
  const instrumentationScope = { name: 'countersign' }
  return (records, now) => {
    const observed = timeOf(now)
    const bytes = ProtobufLogsSerializer.serializeRequest(
      records.map(({ time, body, event, attributes }) => ({
        hrTime: timeOf(time),
        hrTimeObserved: observed,
        severityNumber: SeverityNumber.INFO,
        severityText: 'INFO',
        body,
        eventName: event,
        attributes: { ...attributes },
        resource: of,
        instrumentationScope,
        droppedAttributesCount: 0,
      })),
    )
    return Buffer.from(bytes ?? [])
  }
}

/** How many records a collector did not take, by its answer (OTLP, partial success). */
export const rejectedRecords = (
  answer: Uint8Array,
): { readonly count: number; readonly message: string } => {
  if (answer.length === 0) return { count: 0, message: '' }
  const { partialSuccess } = ProtobufLogsSerializer.deserializeResponse(answer)
  return {
    count: partialSuccess?.rejectedLogRecords ?? 0,
    message: partialSuccess?.errorMessage ?? '',
  }
}

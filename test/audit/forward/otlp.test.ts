// Records to a real OpenTelemetry collector, and answers of collectors that took a part.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NotTaken } from '../../../src/audit/forward/delivery.ts'
import { otlpDelivery } from '../../../src/audit/forward/otlp.ts'
import { sinksSchema, type SinkConfig } from '../../../src/audit/forward/schema.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { until } from '../../fakes/until.ts'
import { skipWithoutOtelCollector, startOtelCollector } from '../../servers/otel-collector.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { openLog, startForwarder, upTo } from './forwarding.ts'
import { EVENT, never, record } from './records.ts'

const sinkOf = (url: string): NonNullable<SinkConfig['otlp']> => {
  const { otel } = sinksSchema.parse({ otel: { otlp: { url } } })
  assert.ok(otel?.otlp !== undefined)
  return otel.otlp
}

describe('an OTLP sink', { skip: skipWithoutOtelCollector() }, () => {
  it('sends log records with the line, the time and the place in the chain', async () => {
    await using collector = await startOtelCollector()
    await using delivery = otlpDelivery(sinkOf(collector.logsEndpoint), systemClock)
    await delivery.send([record(EVENT, 42)], never)
    await until(async () => (await collector.logs()).length === 1)
    const [log] = await collector.logs()
    assert.deepEqual(log, {
      service: 'countersign',
      body: EVENT,
      eventName: 'countersign.audit.decision',
      timeUnixNano: `${Date.parse('2026-11-28T12:00:00.123Z')}000000`,
      attributes: {
        'countersign.audit.chain': 'k3Vn0QyPz1aB',
        'countersign.audit.seq': '42',
        'countersign.audit.hash': 'A'.repeat(43),
      },
    })
  })

  it('sends what was written while the collector was down', async () => {
    await using collector = await startOtelCollector()
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = otlpDelivery(sinkOf(collector.logsEndpoint), systemClock)
    await using running = startForwarder(folder, delivery)
    await log.write(50)
    // It answers before it has written to its file.
    await until(async () => (await collector.logs()).length > 50)
    await collector.stop()
    await log.write(150)
    await until(() => running.forwarder.counts().failures > 2)
    await collector.start()
    const generations = async (): Promise<readonly unknown[]> =>
      (await collector.logs()).flatMap(({ body }) => JSON.parse(body).generation ?? [])
    await until(async () => new Set(await generations()).size === 200)
    assert.deepEqual([...new Set(await generations())], upTo(200))
  })
})

describe('a collector that did not take all', () => {
  it('has not acknowledged the batch', async () => {
    // ExportLogsServiceResponse { partial_success { rejected_log_records: 1, error_message: "no" } }
    const body = Buffer.from([0x0a, 0x06, 0x08, 0x01, 0x12, 0x02, 0x6e, 0x6f])
    await using server = await startScriptedHttp(() => ({ body }))
    const delivery = otlpDelivery(sinkOf(server.origin), systemClock)
    await assert.rejects(delivery.send([record(EVENT)], never), (cause) => {
      assert.ok(cause instanceof NotTaken && cause.isAboutContent)
      assert.match(cause.message, /rejected 1 of 1 records: no/)
      return true
    })
  })

  it('acknowledges nothing by a page of HTML', async () => {
    await using server = await startScriptedHttp(() => ({ body: Buffer.from('<html>welcome') }))
    const delivery = otlpDelivery(sinkOf(server.origin), systemClock)
    await assert.rejects(delivery.send([record(EVENT)], never))
  })
})

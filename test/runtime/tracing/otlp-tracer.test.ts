// Which requests are traced, and how spans belong together.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace'
import {
  tracerOf,
  type RunningTracer,
  type Sampling,
} from '../../../src/runtime/tracing/otlp-tracer.ts'
import { tracedRequest, within } from '../../../src/runtime/tracing/span.ts'
import { FakeClock } from '../../fakes/clock.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const SAMPLED = `00-${TRACE}-${PARENT}-01`
const NOT_SAMPLED = `00-${TRACE}-${PARENT}-00`

const EVERYTHING: Sampling = { share: 1, maxPerSecond: 10_000 }

/** A tracer, and the spans that it has sent once it is disposed of. */
const tracing = (sampling = EVERYTHING) => {
  const exporter = new KeptSpans()
  const clock = new FakeClock()
  const tracer = tracerOf({ exporter, resource: { 'service.name': 'test' }, sampling, clock })
  return { tracer, exporter, clock }
}

/** Keeps its spans when it is shut down. */
class KeptSpans extends InMemorySpanExporter {
  readonly kept: ReturnType<InMemorySpanExporter['getFinishedSpans']> = []

  override async shutdown(): Promise<void> {
    this.kept.push(...this.getFinishedSpans())
    await super.shutdown()
  }
}

const begins = (tracer: RunningTracer, traceparent?: string): boolean =>
  tracer.begin('request', traceparent) !== undefined

describe('a tracer', () => {
  const CASES = [
    { name: 'follows a caller who samples', header: SAMPLED, share: 0, want: true },
    { name: 'follows a caller who does not', header: NOT_SAMPLED, share: 1, want: false },
    { name: 'decides for a caller without a header', header: undefined, share: 1, want: true },
    { name: 'samples none of these with a share of 0', header: undefined, share: 0, want: false },
    { name: 'decides where the header is malformed', header: '00-0-0-01', share: 0, want: false },
    {
      name: 'decides where the version is unknown',
      header: `ff${SAMPLED.slice(2)}`,
      share: 0,
      want: false,
    },
  ]
  for (const { name, header, share, want } of CASES) {
    it(name, async () => {
      const { tracer } = tracing({ ...EVERYTHING, share })
      await using _ = tracer
      assert.equal(begins(tracer, header), want)
    })
  }

  it('samples a share', async () => {
    const { tracer } = tracing({ ...EVERYTHING, share: 0.5 })
    await using _ = tracer
    const sampled = Array.from({ length: 4_000 }, () => begins(tracer)).filter(Boolean).length
    assert.ok(sampled > 1_700 && sampled < 2_300, `${sampled} of 4,000`)
  })

  it('has a limit that no caller can exceed', async () => {
    const { tracer, clock } = tracing({ share: 0, maxPerSecond: 10 })
    await using _ = tracer
    const count = (): number =>
      Array.from({ length: 100 }, () => begins(tracer, SAMPLED)).filter(Boolean).length
    assert.equal(count(), 10)
    clock.advance(500)
    assert.equal(count(), 5)
  })

  it('continues the trace of the caller, and joins what happens within', async () => {
    const { tracer, exporter } = tracing()
    {
      await using _ = tracer
      const span = tracer.begin('check', SAMPLED)
      assert.ok(span !== undefined)
      assert.equal(span.reference?.traceId, TRACE)
      const phase = span.child('authenticate', 'internal')
      await within(phase, async () => {
        await tracedRequest(
          'bind',
          { 'server.address': 'dc1' },
          async () => await Promise.resolve(),
        )
      })
      phase.end()
      span.end()
    }
    const [bind, authenticate, check] = exporter.kept
    assert.equal(bind?.name, 'bind')
    assert.equal(bind.parentSpanContext?.spanId, authenticate?.spanContext().spanId)
    assert.equal(authenticate?.parentSpanContext?.spanId, check?.spanContext().spanId)
    assert.equal(check?.parentSpanContext?.spanId, PARENT)
    assert.equal(check.spanContext().traceId, TRACE)
  })

  it('marks what has failed, without its message', async () => {
    const { tracer, exporter } = tracing()
    {
      await using _ = tracer
      const span = tracer.begin('check', undefined)
      assert.ok(span !== undefined)
      const failing = within(span, () =>
        tracedRequest('bind', {}, () => Promise.reject(new TypeError('password hunter2'))),
      )
      await assert.rejects(failing, TypeError)
      span.end()
    }
    assert.equal(exporter.kept[0]?.status.message, 'TypeError')
    assert.doesNotMatch(
      JSON.stringify(
        exporter.kept.map(({ status, attributes, events }) => ({ status, attributes, events })),
      ),
      /hunter2/,
    )
  })
})

describe('a request to another server outside of a span', () => {
  it('is only sent', async () => {
    assert.equal(await tracedRequest('bind', {}, () => Promise.resolve(7)), 7)
  })
})

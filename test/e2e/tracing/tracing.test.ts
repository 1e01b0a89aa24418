import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { http1, valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutOtelCollector,
  startOtelCollector,
  type CollectedSpan,
  type OtelCollector,
} from '../../servers/otel-collector.ts'
import { freePort } from '../../servers/ports.ts'
import {
  skipWithoutPrometheus,
  startPrometheus,
  type Prometheus,
} from '../../servers/prometheus.ts'
import { ALICE, eventually, received, startSite, type Site } from '../site.ts'

const CHECK = 'envoy.service.auth.v3.Authorization/Check'
const CLIENTS_TRACE = '0af7651916cd43dd8448eb211c80319c'
const CLIENTS_HEADER = ['traceparent', `00-${CLIENTS_TRACE}-b7ad6b7169203331-01`] as const

const startTracedSite = (
  collector: OtelCollector,
  more: object = {},
  admin?: `127.0.0.1:${number}`,
): Promise<Site> =>
  startSite({
    tracing: { otlp: { endpoint: collector.httpEndpoint }, sampling: 1, ...more },
    ...(admin === undefined ? {} : { admin }),
  })

/** The spans of the trace that has the check of a decision, once all parts of it have come. */
const traceOf = async (
  collector: OtelCollector,
  decision: string | undefined,
): Promise<readonly CollectedSpan[]> =>
  await eventually(
    async () => {
      const spans = await collector.spans()
      const check = spans.find((span) => span.attributes['countersign.decision.id'] === decision)
      return spans.filter(({ traceId }) => traceId === check?.traceId)
    },
    (spans) => spans.some(({ service, parentSpanId }) => service !== AUTHZ && parentSpanId === ''),
    20_000,
  )

// Prometheus' API, "Querying exemplars".
const exemplarsSchema = z.object({
  data: z.array(
    z.object({
      exemplars: z.array(z.object({ labels: z.record(z.string(), z.string()), value: z.string() })),
    }),
  ),
})

/** The exemplars that Prometheus has of a metric by now. */
const exemplarsOf = async (prometheus: Prometheus, metric: string) => {
  const start = Math.floor(Date.now() / 1_000) - 600
  const query = `query=${metric}&start=${start}&end=${start + 1_200}`
  const answer = await prometheus.get(`/api/v1/query_exemplars?${query}`)
  return exemplarsSchema.parse(answer).data.flatMap(({ exemplars }) => exemplars)
}

const AUTHZ = 'countersign-authz'
const ENVOY = 'countersign-envoy'

const childrenOf = (spans: readonly CollectedSpan[], parent: CollectedSpan | undefined) =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId)

const skip = skipWithoutEnvoy() || skipWithoutOtelCollector() || skipWithoutPrometheus()

describe('a request through Envoy, traced', { skip }, () => {
  let collector: OtelCollector
  before(async () => {
    collector = await startOtelCollector()
  })
  after(async () => {
    await collector[Symbol.asyncDispose]()
  })

  for (const protocol of ['http/protobuf', 'grpc'] as const) {
    it(`is one trace of Envoy and authz, by ${protocol}`, async () => {
      const endpoint = protocol === 'grpc' ? collector.grpcEndpoint : collector.httpEndpoint
      await using site = await startTracedSite(collector, { otlp: { endpoint, protocol } })
      const answer = await http1(site.target, { headers: [ALICE] })
      assert.equal(answer.status, 200)
      const [decision] = valuesOf(answer, 'x-countersign-decision')
      const spans = await traceOf(collector, decision)
      const root = spans.find(({ parentSpanId }) => parentSpanId === '')
      assert.equal(root?.service, ENVOY)
      const check = spans.find(({ name }) => name === CHECK)
      assert.equal(check?.service, AUTHZ)
      // Envoy's call of authz is between the two.
      const call = spans.find(({ spanId }) => spanId === check.parentSpanId)
      assert.equal(call?.service, ENVOY)
      assert.equal(call.parentSpanId, root.spanId)
      assert.deepEqual(
        childrenOf(spans, check).map(({ name }) => name),
        ['request', 'authenticate', 'identity', 'authorize', 'transform', 'audit'],
      )
      const { attributes } = check
      assert.equal(attributes['countersign.decision'], 'allow')
      assert.equal(attributes['countersign.reason'], 'permitted')
      assert.equal(attributes['countersign.route'], 'api')
      // What the upstream can continue is the same trace.
      const [continued = ''] = received(answer, 'traceparent')
      assert.equal(continued.split('-')[1], root.traceId)
    })
  }

  it('ends with the phase that refused it', async () => {
    await using site = await startTracedSite(collector)
    const answer = await http1(site.target, { path: '/secrets/1', headers: [ALICE] })
    assert.equal(answer.status, 403)
    const [decision] = valuesOf(answer, 'x-countersign-decision')
    const spans = await traceOf(collector, decision)
    const check = spans.find(({ name }) => name === CHECK)
    const phases = childrenOf(spans, check)
    assert.equal(check?.attributes['countersign.reason'], 'rule-denied')
    assert.ok(!check.hasFailed, 'a refusal is no failure')
    assert.deepEqual(
      phases.map(({ name }) => name),
      ['request', 'authenticate', 'identity', 'authorize', 'audit'],
    )
    assert.equal(phases[3]?.attributes['countersign.reason'], 'rule-denied')
  })

  it('has a trace that the client chose only where clients are trusted', async () => {
    for (const trustClients of [false, true]) {
      await using site = await startTracedSite(collector, { trustClients })
      const answer = await http1(site.target, { headers: [ALICE, CLIENTS_HEADER] })
      const [decision] = valuesOf(answer, 'x-countersign-decision')
      const [{ traceId } = { traceId: '' }] = await eventually(
        async () =>
          (await collector.spans()).filter(
            ({ attributes }) => attributes['countersign.decision.id'] === decision,
          ),
        (spans) => spans.length === 1,
      )
      assert.equal(traceId === CLIENTS_TRACE, trustClients)
    }
  })

  it('is not traced because a client asks for it', async () => {
    await using site = await startTracedSite(collector, { sampling: 0 })
    const answer = await http1(site.target, { headers: [ALICE, CLIENTS_HEADER] })
    const [continued = ''] = received(answer, 'traceparent')
    assert.match(continued, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    assert.notEqual(continued.split('-')[1], CLIENTS_TRACE)
  })

  it('is found by the exemplar that Prometheus has of its duration', async () => {
    const admin = `127.0.0.1:${await freePort()}` as const
    await using site = await startTracedSite(collector, {}, admin)
    await using prometheus = await startPrometheus([
      { job: 'countersign-authz', target: admin, path: '/metrics' },
    ])
    const answer = await http1(site.target, { headers: [ALICE] })
    const [decision] = valuesOf(answer, 'x-countersign-decision')
    const [exemplar] = await eventually(
      () => exemplarsOf(prometheus, 'countersign_check_duration_seconds_bucket'),
      (exemplars) => exemplars.length === 1,
      20_000,
    )
    const spans = await traceOf(collector, decision)
    const check = spans.find(({ name }) => name === CHECK)
    assert.equal(exemplar?.labels['trace_id'], check?.traceId)
    assert.equal(exemplar?.labels['span_id'], check?.spanId)
    // The password had to be hashed, so that its phase has one, too.
    const [waited] = await exemplarsOf(
      prometheus,
      'countersign_check_phase_duration_seconds_bucket',
    )
    const phase = spans.find(({ name }) => name === 'authenticate')
    assert.equal(waited?.labels['span_id'], phase?.spanId)
  })

  it('is answered while the collector is away', async () => {
    await using site = await startTracedSite(collector)
    await collector.stop()
    try {
      for (let sent = 0; sent < 20; sent += 1) {
        assert.equal((await http1(site.target, { headers: [ALICE] })).status, 200)
      }
    } finally {
      await collector.start()
    }
    const answer = await http1(site.target, { headers: [ALICE] })
    const [decision] = valuesOf(answer, 'x-countersign-decision')
    assert.ok((await traceOf(collector, decision)).length > 0)
  })
})

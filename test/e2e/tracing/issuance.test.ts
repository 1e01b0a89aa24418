// The issuance of a certificate, traced: authz' check leads to the span of a signer without a network.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { http1, valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutOtelCollector,
  startOtelCollector,
  type CollectedSpan,
  type OtelCollector,
} from '../../servers/otel-collector.ts'
import { freePort } from '../../servers/ports.ts'
import { basic, startCertificateSite, type CertificateSite } from '../certificate-site.ts'
import { eventually } from '../site.ts'

const PROGRAM = resolve(import.meta.dirname, '../../../src/countersign.ts')
const SIGNER = 'countersign-signer'

/** `countersign metrics` next to the site's signer, as a process of its own, once it listens. */
const startExporter = async (site: CertificateSite, ...traces: readonly string[]) => {
  const signer = `unix:${site.files.signerAdmin}`
  const listen = `127.0.0.1:${await freePort()}`
  const child = spawn(
    process.execPath,
    [PROGRAM, 'metrics', '--listen', listen, '--signer', signer, '--traces', ...traces],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  const ended = once(child, 'exit')
  const listening = eventually(
    async () => await Promise.resolve(log),
    (text) => text.includes('listening'),
    30_000,
  )
  await Promise.race([
    listening,
    ended.then(() => {
      throw new Error(`countersign metrics ended: ${log}`)
    }),
  ])
  return {
    /** The page of the signer, which it passes on. */
    metrics: async () => await (await fetch(`http://${listen}/metrics`)).text(),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

const skip = skipWithoutEnvoy() || skipWithoutOtelCollector()

describe('the issuance of a certificate', { skip }, () => {
  let collector: OtelCollector
  before(async () => {
    collector = await startOtelCollector()
  })
  after(async () => {
    await collector[Symbol.asyncDispose]()
  })

  const check = async (decision: string | undefined): Promise<CollectedSpan | undefined> =>
    (await collector.spans()).find(
      ({ attributes }) => attributes['countersign.decision.id'] === decision,
    )

  for (const protocol of ['http/protobuf', 'grpc'] as const) {
    it(`is a span of the signer, to which the check is linked, by ${protocol}`, async () => {
      await using site = await startCertificateSite({
        tracing: { otlp: { endpoint: collector.httpEndpoint }, sampling: 1 },
      })
      const endpoint = protocol === 'grpc' ? collector.grpcEndpoint : collector.httpEndpoint
      await using exporter = await startExporter(site, endpoint, '--traces-protocol', protocol)
      const answer = await http1(site.target, { headers: [basic('alice')] })
      assert.equal(answer.status, 200)
      const [decision] = valuesOf(answer, 'x-countersign-decision')
      const checked = await eventually(
        () => check(decision),
        (span) => span !== undefined,
      )
      const [trace] = checked?.links ?? []
      assert.ok(trace !== undefined)
      const spans = await eventually(
        async () => (await collector.spans()).filter(({ traceId }) => traceId === trace.traceId),
        (found) => found.some(({ name }) => name === 'sds issue'),
      )
      const issue = spans.find(({ name }) => name === 'sds issue')
      assert.ok(spans.every(({ service }) => service === SIGNER))
      assert.deepEqual(
        spans.filter(({ parentSpanId }) => parentSpanId === issue?.spanId).map(({ name }) => name),
        ['admit', 'key', 'sign', 'verify', 'audit'],
      )
      assert.equal(issue?.parentSpanId, '')
      // Both, and both audit logs, name the handle alike, and so does the trace.
      const handle = issue.attributes['countersign.certificate.handle']
      assert.equal(checked?.attributes['countersign.certificate.handle'], handle)
      const issued = (await site.issuances()).filter(({ event }) => event === 'certificate-issued')
      assert.deepEqual(
        issued.map((event) => ('handle' in event ? event.handle : undefined)),
        [handle],
      )
      assert.ok(trace.traceId.startsWith(handle ?? 'none'))
      assert.match(
        await exporter.metrics(),
        /^countersign_signer_spans_total\{outcome="dropped"\} 0$/m,
      )
      // Envoy's spans are in the trace of the check.
      await eventually(
        async () => (await collector.spans()).filter((span) => span.traceId === checked?.traceId),
        (found) => found.some(({ service }) => service === 'countersign-envoy'),
      )
    })
  }
})

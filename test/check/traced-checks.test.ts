// The spans of a check: what they say, what they do not say, and that they change nothing.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { handleDigest, issuanceTrace } from '../../src/grant/handle.ts'
import { checkMethod } from '../../src/check/service.ts'
import { CheckStatistics } from '../../src/check/statistics.ts'
import { tracedChecks } from '../../src/check/traced-checks.ts'
import type {
  Notes,
  Span,
  SpanAttributes,
  SpanReference,
  Tracer,
} from '../../src/runtime/tracing/span.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { PROVEN } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'
import { messageOf } from '../fakes/envoy-client.ts'
import { memoryLogger } from '../fakes/logger.ts'
import type { RouteParts } from '../fakes/route.ts'
import { answering } from '../fakes/service.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const REFERENCE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }

/** Records what is said of a span, as lines: `begin check`, `end check/authenticate`, … */
class RecordedSpan implements Span {
  readonly reference = REFERENCE
  readonly #path: string
  readonly #lines: string[]
  readonly #notes: string[]

  constructor(path: string, lines: string[], notes: string[], attributes: SpanAttributes = {}) {
    this.#path = path
    this.#lines = lines
    this.#notes = notes
    lines.push(`begin ${path}`)
    this.set(attributes)
  }

  child(name: string, _kind: 'internal' | 'client', attributes?: SpanAttributes): Span {
    return new RecordedSpan(`${this.#path}/${name}`, this.#lines, this.#notes, attributes)
  }

  set(attributes: SpanAttributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      this.#lines.push(`${this.#path} ${name}=${String(value)}`)
    }
  }

  link({ traceId }: SpanReference): void {
    this.#lines.push(`${this.#path} linked to ${traceId}`)
  }

  note(notes: Notes): void {
    for (const [name, value] of Object.entries(notes)) {
      this.#notes.push(`${this.#path} ${name}=${value}`)
    }
  }

  fail(description: string): void {
    this.#lines.push(`${this.#path} failed: ${description}`)
  }

  end(): void {
    this.#lines.push(`end ${this.#path}`)
  }
}

const checked = async (route: RouteParts, traceparent?: string) => {
  const lines: string[] = []
  const notes: string[] = []
  const parents: (string | undefined)[] = []
  const tracer: Tracer = {
    begin(_name, parent, attributes) {
      parents.push(parent)
      return new RecordedSpan('check', lines, notes, attributes)
    },
  }
  const value = snapshotOf([route])
  const audit = new MemoryAudit()
  const statistics = new CheckStatistics()
  const method = checkMethod({
    current: () => ({ value, generation: 1 }),
    audit,
    clock: new FakeClock(),
    logger: memoryLogger().logger,
    observer: statistics,
    watcher: tracedChecks(tracer),
  })
  const { promise, resolve } = Promise.withResolvers<Uint8Array>()
  const call = {
    deadline: Number.POSITIVE_INFINITY,
    traceparent,
    answer: resolve,
    onCancelled: () => undefined,
  }
  const authorization = `Basic ${Buffer.from('alice:hunter2').toString('base64')}`
  method.handle(
    messageOf({ headers: [['authorization', authorization]], path: '/a?key=hunter2' }),
    call,
  )
  method.flush?.()
  await promise
  return { lines, notes, parents, statistics }
}

const spansOf = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => /^(?:begin|end) /.test(line))

describe('the spans of a check', () => {
  it('are one for each phase, one after the other', async () => {
    const { lines } = await checked(answering(PROVEN))
    const phases = ['request', 'authenticate', 'identity', 'authorize', 'transform', 'audit']
    assert.deepEqual(spansOf(lines), [
      'begin check',
      ...phases.flatMap((phase) => [`begin check/${phase}`, `end check/${phase}`]),
      'end check',
    ])
    assert.ok(lines.includes('check countersign.decision=allow'))
    assert.ok(lines.includes('check countersign.authenticator=staff'))
  })

  it('end where the check does, and have not failed then', async () => {
    const { lines } = await checked(
      answering({ outcome: 'rejected', code: 'credential-malformed' }),
    )
    assert.ok(lines.includes('check/identity countersign.reason=credential-malformed'))
    assert.ok(lines.includes('check countersign.reason=credential-malformed'))
    assert.ok(!lines.some((line) => line.includes('failed') || line.includes('transform')))
  })

  it('name a phase that waits, and say that a server did not answer', async () => {
    const unavailable = { outcome: 'unavailable', cause: new Error('no answer') } as const
    const { lines } = await checked(answering(() => Promise.resolve(unavailable)))
    const spans = spansOf(lines)
    assert.ok(
      spans.indexOf('end check/authenticate') < spans.indexOf('begin check/identity'),
      spans.join(),
    )
    assert.ok(lines.includes('check failed: authenticator-unavailable'))
  })

  it('are the exemplar of the duration of the check', async () => {
    const { statistics } = await checked(answering(PROVEN))
    const exemplars = statistics.routes.get('app')?.allowed.exemplars ?? []
    assert.deepEqual(
      exemplars.filter((exemplar) => exemplar !== undefined).map(({ span }) => span),
      [REFERENCE],
    )
  })

  it('are linked to the issuance of the certificate for the upstream', async () => {
    const handle = 'AQ-a-handle'
    const secret = { name: handle, digest: handleDigest(handle) }
    const forwarding = { setHeaders: [], repeatedHeaders: [], secret }
    const { lines } = await checked({
      ...answering(PROVEN),
      transformers: [
        { kind: 'certificate', transform: () => ({ outcome: 'transformed', forwarding }) },
      ],
    })
    assert.ok(lines.includes(`check countersign.certificate.handle=${secret.digest}`))
    assert.ok(lines.includes(`check linked to ${issuanceTrace(handle).traceId}`))
  })

  it('have the parent that the call names', async () => {
    const header = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    assert.deepEqual((await checked(answering(PROVEN), header)).parents, [header])
  })

  it('contain neither credentials nor names nor queries', async () => {
    const { lines, notes } = await checked(answering(PROVEN))
    assert.doesNotMatch(lines.join('\n'), /hunter2|alice|key=/)
    assert.doesNotMatch(notes.join('\n'), /hunter2|key=/)
  })

  it('note for operators what each phase concluded, and the user', async () => {
    const { notes } = await checked(answering(PROVEN))
    assert.deepEqual(notes, [
      'check/request conclusion=route "app"',
      'check/authenticate conclusion="staff" proved it',
      'check/identity conclusion=user "alice", groups dev, ops',
      'check/authorize conclusion=rule "all"',
      'check/transform conclusion=the upstream’s credential is made',
      'check user=alice',
      'check source=203.0.113.7',
      'check host=app.example.org',
      'check path=/a',
    ])
  })
})

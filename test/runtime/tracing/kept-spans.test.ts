// Spans that wait for a reader: when they are made, how many there are, and that none is lost in between.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeptSpans } from '../../../src/runtime/tracing/kept-spans.ts'
import { FakeClock } from '../../fakes/clock.ts'

const TRACE = 'a'.repeat(32)

const setUp = () => {
  const clock = new FakeClock()
  const spans = new KeptSpans(clock)
  const make = (name: string) => spans.begin(name, TRACE)?.end()
  return { clock, spans, make, ...cursor(spans) }
}

/** A reader that continues where it was. */
const cursor = (spans: KeptSpans) => {
  let [process, last] = ['', 0]
  const read = (): readonly string[] => {
    const page = spans.read(process, last)
    process = page.process
    last = page.last
    return page.spans.map(({ name }) => name)
  }
  return { read }
}

describe('spans that are kept for a reader', () => {
  it('are not made without a reader, nor half a minute after its last request', () => {
    const { clock, spans, make, read } = setUp()
    assert.equal(spans.begin('before', TRACE), undefined)
    read()
    clock.advance(29_999)
    make('while')
    clock.advance(1)
    assert.equal(spans.begin('after', TRACE), undefined)
    assert.deepEqual(read(), ['while'])
    assert.equal(spans.statistics.dropped, 0)
  })

  it('are read once, and counted as read when the reader has them', () => {
    const { spans, make, read } = setUp()
    read()
    make('one')
    make('two')
    assert.deepEqual(read(), ['one', 'two'])
    assert.equal(spans.statistics.read, 0)
    make('three')
    assert.deepEqual(read(), ['three'])
    assert.equal(spans.statistics.read, 2)
  })

  it('are read again by a reader that has missed the answer, or that begins anew', () => {
    const { spans, make, read } = setUp()
    read()
    make('one')
    const { process, last } = spans.read('', 0)
    make('two')
    assert.deepEqual(
      spans.read(process, last - 1).spans.map(({ name }) => name),
      ['one', 'two'],
    )
    assert.deepEqual(cursor(spans).read(), ['one', 'two'])
  })

  it('hostile: numbers of another process, or that no page had, take none away', () => {
    const { spans, make, read } = setUp()
    read()
    make('one')
    for (const [process, after] of [
      ['f'.repeat(16), 1],
      ['', Number.MAX_SAFE_INTEGER],
      [spans.read('', 0).process, -5],
    ] as const) {
      assert.equal(spans.read(process, after).spans.length, 1)
    }
  })

  it('exceed neither their rate nor their number, and are counted', () => {
    const { clock, spans, read } = setUp()
    read()
    const begin = () => spans.begin('issue', TRACE)
    const begun = Array.from({ length: 150 }, begin).filter((span) => span !== undefined)
    assert.equal(begun.length, 100)
    assert.equal(spans.statistics.dropped, 50)
    for (const span of begun) {
      for (let part = 0; part < 30; part += 1) span.child('part', 'internal').end()
      span.end()
    }
    assert.equal(read().length, 2_048)
    assert.equal(spans.statistics.dropped, 50 + 3_100 - 2_048)
    clock.advance(1_000)
    assert.notEqual(begin(), undefined)
  })

  it('say when they began, how long they took, and what they belong to', () => {
    const { clock, spans, read } = setUp()
    read()
    const span = spans.begin('issue', TRACE, { first: 1 })
    assert.ok(span !== undefined)
    const began = clock.now()
    clock.advance(5)
    const part = span.child('sign', 'internal')
    clock.advance(20)
    part.fail('slow')
    part.end()
    span.set({ second: 'b' })
    span.end()
    const [sign, issue] = spans.read('', 0).spans
    assert.deepEqual([sign?.start, sign?.duration, sign?.failure], [began + 5, 20, 'slow'])
    assert.deepEqual([issue?.start, issue?.duration, issue?.kind], [began, 25, 'server'])
    assert.equal(sign?.parentSpanId, issue?.spanId)
    assert.deepEqual([sign?.traceId, issue?.traceId], [TRACE, TRACE])
    assert.deepEqual(issue?.attributes, { first: 1, second: 'b' })
    assert.ok(issue !== undefined && !('parentSpanId' in issue))
  })
})

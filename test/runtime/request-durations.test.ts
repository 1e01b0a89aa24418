// How requests are measured: by outcome, from the request to its answer.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OF_HTTP, RequestDurations, withoutQuery } from '../../src/runtime/request-durations.ts'
import { within, type Span } from '../../src/runtime/tracing/span.ts'
import { FakeClock } from '../fakes/clock.ts'

const setUp = () => {
  const clock = new FakeClock()
  const durations = new RequestDurations(clock)
  const sums = () =>
    [...durations.histogram.read()].flatMap(({ labels, value }) =>
      value.sum === 0 ? [] : [`${Object.values(labels).join(' ')} ${value.sum}`],
    )
  const taking = <T>(milliseconds: number, result: T) => {
    return async (): Promise<T> => {
      clock.advance(milliseconds)
      return await Promise.resolve(result)
    }
  }
  return { clock, durations, server: durations.of('ldap', 'ldaps://a'), sums, taking }
}

describe('the duration of a request', () => {
  it('is that of an answer, which is handed on', async () => {
    const { server, sums, taking } = setUp()
    assert.equal(await server.measure('bind', taking(250, 'the answer')), 'the answer')
    await server.measure('bind', taking(500, 'the answer'))
    assert.deepEqual(sums(), ['ldap ldaps://a bind answered 0.75'])
  })

  it('is that of a failure, which is thrown', async () => {
    const { server, sums, clock } = setUp()
    const failing = async (): Promise<never> => {
      clock.advance(2_000)
      return await Promise.reject(new Error('no answer'))
    }
    const { signal } = new AbortController()
    await assert.rejects(server.measure('bind', failing, { signal }), /no answer/)
    assert.deepEqual(sums(), ['ldap ldaps://a bind failed 2'])
  })

  it('is apart for a caller that goes away', async () => {
    const { server, sums, clock } = setUp()
    const controller = new AbortController()
    const request = async (): Promise<never> => {
      clock.advance(1_000)
      controller.abort(new Error('gone'))
      return await Promise.reject(controller.signal.reason)
    }
    await assert.rejects(server.measure('search', request, controller), /gone/)
    assert.deepEqual(sums(), ['ldap ldaps://a search aborted 1'])
  })

  it('has the span of a request that is traced as its exemplar', async () => {
    const { server, sums, taking, durations } = setUp()
    const spans: Span[] = []
    const spanOf = (spanId: string): Span => ({
      reference: { traceId: 'a'.repeat(32), spanId },
      child(name) {
        const span = spanOf(name)
        spans.push(span)
        return span
      },
      set() {},
      link() {},
      note() {},
      fail() {},
      end() {},
    })
    await within(spanOf('check'), () => server.measure('bind', taking(250, 'the answer')))
    assert.deepEqual(sums(), ['ldap ldaps://a bind answered 0.25'])
    assert.deepEqual(
      durations.histogram
        .read()
        .flatMap(({ value }) => value.exemplars)
        .flatMap((exemplar) => exemplar?.span ?? []),
      spans.map(({ reference }) => reference),
    )
    assert.equal(spans.length, 1)
  })

  it('is a failure for a status of HTTP other than a success', async () => {
    const { server, sums, taking } = setUp()
    await server.measure('', taking(1_000, { status: 200 }), OF_HTTP)
    await server.measure('', taking(2_000, { status: 304 }), OF_HTTP)
    await server.measure('', taking(2_000, { status: 503 }), OF_HTTP)
    assert.deepEqual(sums(), ['ldap ldaps://a  answered 1', 'ldap ldaps://a  failed 4'])
  })

  it('has a label without the query of a URL', () => {
    assert.equal(withoutQuery('https://a.example/keys?key=secret'), 'https://a.example/keys')
  })
})

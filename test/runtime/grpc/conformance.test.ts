// The seam of unary calls: each implementation of the server passes the same tests.

import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { frame } from '../../../src/runtime/grpc/framing.ts'
import { GRPC_SERVERS } from '../../../src/runtime/grpc/grpc-server.ts'
import { DeadlineNear } from '../../../src/runtime/grpc/unary.ts'
import { connectHttp2, openRaw } from '../../fakes/grpc-stream.ts'
import { until } from '../../fakes/until.ts'
import { abortionOf, METHOD, signalOf, startTestServer } from './conformance-server.ts'

const LIMIT = { timeout: 60_000 }

const echo = (message: Uint8Array): Uint8Array => Buffer.from(message)
const HELLO = Buffer.from('hello')
const ANSWERED = { code: status.OK, answer: HELLO }
const FAILED = { code: status.INTERNAL, answer: undefined }

/** The answers that a raw client gets to bytes of its own, and how its stream ended. */
const exchange = async (
  path: string,
  headers: Readonly<Record<string, string>>,
  parts: readonly Buffer[],
) => {
  const session = connectHttp2(path)
  const stream = openRaw(session, { ':path': METHOD, ...headers })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
  let trailers: Readonly<Record<string, unknown>> = {}
  stream.once('trailers', (fields) => {
    trailers = fields
  })
  const response = once(stream, 'response')
  for (const part of parts) stream.write(part)
  stream.end()
  const [head] = await response
  if (!stream.closed) await once(stream, 'close')
  session.destroy()
  const code = head['grpc-status'] ?? trailers['grpc-status']
  return { http: Number(head[':status']), code: Number(code), body: Buffer.concat(chunks) }
}

for (const server of GRPC_SERVERS) {
  describe(`unary calls of the server ${server}`, LIMIT, () => {
    it('are answered by a value, and by a promise', async () => {
      await using value = await startTestServer(server, echo)
      assert.partialDeepStrictEqual(await value.client.call(HELLO), ANSWERED)
      await using promise = await startTestServer(server, async (message) => echo(message))
      assert.partialDeepStrictEqual(await promise.client.call(HELLO), ANSWERED)
    })

    for (const size of [0, 1, 16_379, 16_380, 65_535, 300_000, 1_048_576]) {
      it(`take and give a message of ${size} bytes`, async () => {
        await using running = await startTestServer(server, echo)
        const message = Buffer.alloc(size, 'abc')
        const { code, answer } = await running.client.call(message)
        assert.equal(code, status.OK)
        assert.ok(answer?.equals(message))
      })
    }

    it('are answered when 500 run at once, each with its own answer', async () => {
      await using running = await startTestServer(server, async (message) => echo(message))
      const ends = await Promise.all(
        Array.from({ length: 500 }, (_, index) => running.client.call(Buffer.from(`${index}`))),
      )
      assert.deepEqual(
        ends.map(({ answer }) => answer?.toString()),
        ends.map((_, index) => `${index}`),
      )
    })

    it('may have answers whose bytes change afterwards, also where the windows are too small for them', async () => {
      const bytes = Buffer.alloc(100_000)
      await using running = await startTestServer(server, (message) => bytes.fill(message))
      const ends = await Promise.all(
        Array.from({ length: 20 }, (_, index) => running.client.call(Buffer.of(index))),
      )
      for (const [index, { answer }] of ends.entries()) {
        assert.ok(answer?.equals(Buffer.alloc(bytes.length, index)), `answer ${index}`)
      }
    })

    it('end with INTERNAL, which hides and logs the error, when the handler throws', async () => {
      await using running = await startTestServer(server, () => {
        throw new Error('secret')
      })
      const end = await running.client.call(HELLO)
      assert.deepEqual(end, { ...FAILED, details: 'internal error' })
      assert.ok(running.log.some((line) => line.includes('secret')))
    })

    it('end with UNIMPLEMENTED for an unknown method', async () => {
      await using running = await startTestServer(server, echo)
      const { code } = await running.client.call(HELLO, { path: '/test.Test/Other' })
      assert.equal(code, status.UNIMPLEMENTED)
    })

    it('end with RESOURCE_EXHAUSTED for a message that is too long', async () => {
      await using running = await startTestServer(server, echo)
      const { code } = await running.client.call(Buffer.alloc(1_048_577))
      assert.equal(code, status.RESOURCE_EXHAUSTED)
    })

    it('know no deadline where the caller set none', async () => {
      const seen: unknown[] = []
      await using running = await startTestServer(server, (message, call) => {
        using watched = signalOf(call)
        seen.push(call.deadline, watched.signal.aborted)
        return echo(message)
      })
      await running.client.call(HELLO)
      assert.deepEqual(seen, [Number.POSITIVE_INFINITY, false])
    })

    it('know their deadline', async () => {
      const left: number[] = []
      await using running = await startTestServer(server, (message, { deadline }) => {
        left.push(deadline - Date.now())
        return echo(message)
      })
      await running.client.call(HELLO, { timeout: 60_000 })
      assert.ok(Number(left[0]) > 30_000 && Number(left[0]) <= 60_000, `${left[0]}`)
    })

    it('have a signal that is aborted before the deadline, so that they are still answered', async () => {
      await using running = await startTestServer(server, async (_message, call) => {
        const reason = await abortionOf(call)
        assert.ok(reason instanceof DeadlineNear)
        return HELLO
      })
      const end = await running.client.call(HELLO, { timeout: 1_000 })
      assert.partialDeepStrictEqual(end, ANSWERED)
    })

    it('end with DEADLINE_EXCEEDED when the handler does not answer', async () => {
      const aborted: Promise<unknown>[] = []
      await using running = await startTestServer(server, (_message, call) => {
        aborted.push(abortionOf(call))
        return new Promise(() => {})
      })
      const { code } = await running.client.call(HELLO, { timeout: 300 })
      assert.equal(code, status.DEADLINE_EXCEEDED)
      await Promise.all(aborted)
    })

    it('have a signal that is aborted when the caller cancels', async () => {
      const aborted: Promise<unknown>[] = []
      await using running = await startTestServer(server, (_message, call) => {
        aborted.push(abortionOf(call))
        return new Promise(() => {})
      })
      const { ended, cancel } = running.client.start(HELLO)
      await until(() => aborted.length === 1)
      cancel()
      const reason = await aborted[0]
      assert.ok(!(reason instanceof DeadlineNear))
      assert.equal((await ended).code, status.CANCELLED)
    })

    it('have a signal that is aborted when the connection is lost', async () => {
      const aborted: Promise<unknown>[] = []
      await using running = await startTestServer(server, (_message, call) => {
        aborted.push(abortionOf(call))
        return new Promise(() => {})
      })
      const session = connectHttp2(running.path)
      const stream = openRaw(session, { ':path': METHOD })
      stream.end(frame(HELLO))
      await until(() => aborted.length === 1)
      session.destroy()
      await Promise.all(aborted)
    })

    it('have a signal that an answer does not abort', async () => {
      const signals: AbortSignal[] = []
      await using running = await startTestServer(server, async (message, call) => {
        using watched = signalOf(call)
        signals.push(watched.signal)
        return echo(message)
      })
      await running.client.call(HELLO, { timeout: 60_000 })
      await running.client.call(HELLO)
      assert.deepEqual(
        signals.map(({ aborted }) => aborted),
        [false, false],
      )
    })

    for (const { name, headers = {}, parts, want } of [
      { name: 'a message in parts', parts: [...frame(HELLO)].map((byte) => Buffer.from([byte])) },
      { name: 'two messages', parts: [frame(HELLO), frame(HELLO)], want: status.UNIMPLEMENTED },
      {
        name: 'two messages at once',
        parts: [Buffer.concat([frame(HELLO), frame(HELLO)])],
        want: status.UNIMPLEMENTED,
      },
      { name: 'no message', parts: [], want: status.UNIMPLEMENTED },
      {
        name: 'a malformed deadline',
        headers: { 'grpc-timeout': 'soon' },
        parts: [frame(HELLO)],
        want: status.INTERNAL,
      },
      {
        name: 'a compressed message of an unknown encoding',
        headers: { 'grpc-encoding': 'zstd' },
        parts: [Buffer.concat([Buffer.from([1]), frame(HELLO).subarray(1)])],
        want: status.UNIMPLEMENTED,
      },
    ]) {
      it(`take ${name}${want === undefined ? '' : ` and end with ${status[want]}`}`, async () => {
        await using running = await startTestServer(server, echo)
        const { http, code, body } = await exchange(running.path, headers, parts)
        assert.equal(http, 200)
        assert.equal(code, want ?? status.OK)
        if (want === undefined) assert.deepEqual(body, frame(HELLO))
      })
    }

    it('must be of the content type of gRPC', async () => {
      await using running = await startTestServer(server, echo)
      const type = { 'content-type': 'application/json' }
      assert.equal((await exchange(running.path, type, [frame(HELLO)])).http, 415)
    })

    it('in flight are answered when the server closes, and further ones are not taken', async () => {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      let calls = 0
      await using running = await startTestServer(server, () => {
        calls += 1
        return promise
      })
      const ended = running.client.call(HELLO)
      await until(() => calls === 1)
      const stopped = running.stop()
      resolve(HELLO)
      assert.partialDeepStrictEqual(await ended, ANSWERED)
      await stopped
      await once(connect(running.path), 'error')
      assert.equal(calls, 1)
    })

    it('are cut off when the server closes and they take longer than it waits', async () => {
      let calls = 0
      const handle = () => {
        calls += 1
        return new Promise<never>(() => {})
      }
      await using running = await startTestServer(server, handle, { grace: 100 })
      const ended = running.client.call(HELLO, { timeout: 10_000 })
      await until(() => calls === 1)
      await running.stop()
      // Not by its own deadline.
      const { code } = await ended
      assert.match(status[code] ?? '', /^(UNAVAILABLE|CANCELLED)$/)
    })

    it('come through a socket with the mode that was configured', async () => {
      await using running = await startTestServer(server, echo)
      assert.equal(statSync(running.path).mode & 0o777, 0o600)
    })
  })
}

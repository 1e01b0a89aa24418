// Streams of messages on the built-in server, by a gRPC client of another make and by peers that keep to no rules.

import assert from 'node:assert/strict'
import { Client, credentials, status } from '@grpc/grpc-js'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { healthService } from '../../../src/proto/load.ts'
import { frame } from '../../../src/runtime/grpc/framing.ts'
import { connectHttp2, openRaw, startStreamServer } from '../../fakes/grpc-stream.ts'
import { until } from '../../fakes/until.ts'

const LIMIT = { timeout: 300_000 }

const health = async (path: string, service: string): Promise<string> => {
  const client = new Client(`unix:${path}`, credentials.createInsecure())
  const { promise, resolve } = Promise.withResolvers<string>()
  const { Check } = healthService
  client.makeUnaryRequest(
    Check.path,
    Check.requestSerialize,
    Check.responseDeserialize,
    { service },
    (error, reply) => resolve(error === null ? (reply?.status ?? '') : String(error.code)),
  )
  try {
    return await promise
  } finally {
    client.close()
  }
}

describe('health', LIMIT, () => {
  it('is that of the server as a whole', async () => {
    await using server = await startStreamServer()
    assert.equal(await health(server.path, ''), 'SERVING')
    assert.equal(await health(server.path, 'other'), String(status.NOT_FOUND))
  })

  it('can be watched until the end', async () => {
    await using server = await startStreamServer()
    const client = new Client(`unix:${server.path}`, credentials.createInsecure())
    const { Watch } = healthService
    const watch = (service: string) =>
      client.makeServerStreamRequest(
        Watch.path,
        Watch.requestSerialize,
        Watch.responseDeserialize,
        { service },
      )
    const [whole, other] = [watch(''), watch('other')]
    for (const stream of [whole, other]) stream.on('error', () => {})
    assert.deepEqual(await once(whole, 'data'), [{ status: 'SERVING' }])
    assert.deepEqual(await once(other, 'data'), [{ status: 'SERVICE_UNKNOWN' }])
    const { promise, resolve } = Promise.withResolvers<number>()
    whole.on('status', ({ code }) => resolve(code))
    await server.stop()
    assert.equal(await promise, status.UNAVAILABLE)
    client.close()
  })
})

describe('the server', LIMIT, () => {
  it('lets only those in who may use the socket', async () => {
    await using server = await startStreamServer()
    assert.equal(statSync(server.path).mode & 0o777, 0o600)
  })

  it('forgets a stream that is reset, half closed, or cut off with its connection', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const [reset, finished, cut] = [openRaw(session), openRaw(session), openRaw(session)]
    await until(() => server.seen.open === 3)
    reset.close(8)
    await until(() => server.seen.open === 2)
    finished.end()
    finished.resume()
    await until(() => server.seen.open === 1)
    cut.write(frame(Buffer.from('cut short')).subarray(0, 7))
    session.destroy()
    await until(() => server.seen.open === 0)
  })

  it('ends the stream of a handler that throws, hides the error, and serves other streams', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const [bad, good] = [openRaw(session), openRaw(session)]
    const trailers = once(bad, 'trailers')
    bad.resume()
    bad.write(frame(Buffer.from('throw')))
    const [{ 'grpc-status': code, 'grpc-message': message }] = await trailers
    assert.deepEqual([code, message], [String(status.INTERNAL), 'internal%20error'])
    assert.ok(server.log.some((line) => line.includes('handler broken')))
    good.write(frame(Buffer.from('hello')))
    assert.deepEqual(await once(good, 'data'), [frame(Buffer.from('hello'))])
    session.destroy()
  })

  it('closes a stream that it has ended and that its peer keeps open', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const stream = openRaw(session)
    stream.resume()
    stream.write(frame(Buffer.from('throw')))
    const writing = setInterval(() => stream.writable && stream.write(Buffer.alloc(100)), 10)
    await once(stream, 'close')
    clearInterval(writing)
    assert.equal(stream.rstCode, 0)
    session.destroy()
  })

  for (const { name, headers, want } of [
    { name: 'another path', headers: { ':path': '/other' }, want: { grpc: '12', http: 200 } },
    { name: 'another method', headers: { ':method': 'PUT' }, want: { grpc: undefined, http: 405 } },
    {
      name: 'another type of content',
      headers: { 'content-type': 'application/json' },
      want: { grpc: undefined, http: 415 },
    },
  ]) {
    it(`answers ${name} at once`, async () => {
      await using server = await startStreamServer()
      const session = connectHttp2(server.path)
      const stream = openRaw(session, headers)
      const [response] = await once(stream, 'response')
      assert.deepEqual({ grpc: response['grpc-status'], http: response[':status'] }, want)
      await once(stream.resume(), 'close')
      session.destroy()
    })
  }

  it('survives connections that are not HTTP/2', async () => {
    await using server = await startStreamServer()
    const socket = connectSocket(server.path)
    socket.on('error', () => {})
    socket.end('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await once(socket.resume(), 'close')
    assert.equal(await health(server.path, ''), 'SERVING')
  })

  it('does not mind pings', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const stream = openRaw(session)
    await once(stream, 'response')
    for (let round = 0; round < 200; round++) {
      const { promise, resolve } = Promise.withResolvers<unknown>()
      assert.ok(session.ping((error) => resolve(error)))
      assert.equal(await promise, null)
    }
    stream.write(frame(Buffer.from('hello')))
    await once(stream, 'data')
    session.destroy()
  })

  it('closes the connection that has been without a stream for longest when there are too many', async () => {
    await using server = await startStreamServer()
    const serving = connectHttp2(server.path)
    const stream = openRaw(serving)
    stream.write(frame(Buffer.from('hello')))
    await once(stream, 'data')
    const idle = Array.from({ length: 300 }, () => connectSocket(server.path).on('error', () => {}))
    await Promise.all(idle.slice(0, 40).map((socket) => once(socket.resume(), 'close')))
    const next = connectHttp2(server.path)
    const other = openRaw(next)
    other.write(frame(Buffer.from('hello')))
    await once(other, 'data')
    stream.write(frame(Buffer.from('again')))
    await once(stream, 'data')
    for (const socket of idle) socket.destroy()
    for (const session of [serving, next]) session.destroy()
  })

  it('holds 5,000 streams on a connection, and loses one of them when 4,999 are reset', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const streams = Array.from({ length: 5_000 }, () => openRaw(session))
    await until(() => server.seen.open === 5_000)
    for (const stream of streams.slice(1)) stream.close(8)
    await until(() => server.seen.open === 1)
    streams[0]?.write(frame(Buffer.from('hello')))
    assert.deepEqual(await once(streams[0] ?? session, 'data'), [frame(Buffer.from('hello'))])
    session.destroy()
  })

  it('does not listen to a peer that does not take its answers', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path, 0)
    const [deaf, other] = [openRaw(session), openRaw(session)]
    const message = frame(Buffer.alloc(10_000))
    const writing = setInterval(() => deaf.write(message), 1)
    await sleep(1_000)
    const { messages } = server.seen
    assert.ok(messages < 20, `${messages} messages were taken`)
    clearInterval(writing)
    deaf.close(8)
    await until(() => server.seen.open === 1)
    other.destroy()
    session.destroy()
  })
})

describe('the end', LIMIT, () => {
  it('comes at once, however many streams are open', async () => {
    await using server = await startStreamServer(60_000)
    const session = connectHttp2(server.path)
    const streams = Array.from({ length: 500 }, () => openRaw(session))
    const codes = streams.map(async (stream) => {
      const [trailers] = await once(stream.resume(), 'trailers')
      stream.end()
      return String(trailers['grpc-status'])
    })
    await until(() => server.seen.open === 500)
    const start = performance.now()
    await server.stop()
    assert.ok(performance.now() - start < 20_000, `took ${performance.now() - start} ms`)
    assert.deepEqual(new Set(await Promise.all(codes)), new Set([String(status.UNAVAILABLE)]))
    assert.equal(server.seen.open, 0)
  })

  it('waits for a peer that does not take leave, but not for long', async () => {
    await using server = await startStreamServer(100)
    const session = connectHttp2(server.path, 0)
    const stream = openRaw(session)
    stream.write(frame(Buffer.alloc(10_000)))
    await until(() => server.seen.messages === 1)
    const start = performance.now()
    await server.stop()
    const took = performance.now() - start
    assert.ok(took >= 95 && took < 20_000, `took ${took} ms`)
    session.destroy()
  })
})

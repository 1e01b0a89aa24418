// What peers can make a server of streams hold, and what happens to those that try.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { frame } from '../../../src/runtime/grpc/framing.ts'
import { connectHttp2, ECHO, openRaw, startStreamServer } from '../../fakes/grpc-stream.ts'
import {
  callHeaders,
  FLAG,
  FRAME,
  frame as http2Frame,
  FrameClient,
  setting,
} from '../../fakes/http2-frames.ts'
import { until } from '../../fakes/until.ts'

const LIMIT = { timeout: 60_000 }
const REFUSED_STREAM = 7
const ENHANCE_YOUR_CALM = 11
const INITIAL_WINDOW = 4

const opening = (stream: number, ...messages: readonly string[]): Buffer =>
  Buffer.concat([
    http2Frame(FRAME.headers, FLAG.endHeaders, stream, callHeaders(ECHO)),
    ...messages.map((text) => http2Frame(FRAME.data, 0, stream, frame(Buffer.from(text)))),
  ])

const countOf = ({ received }: FrameClient, type: number): number => received.get(type) ?? 0

const unixOf = (path: string) => ({ kind: 'unix', path }) as const

describe('one stream too many of all connections', LIMIT, () => {
  it('takes the place of the one that has not been in use for longest', async () => {
    await using server = await startStreamServer(5_000, { maxMessageStreams: 3 })
    using first = await FrameClient.connect(unixOf(server.path))
    using second = await FrameClient.connect(unixOf(server.path))
    await first.send(opening(1, 'use'), opening(3, 'hello'))
    await until(() => countOf(first, FRAME.data) === 2)
    await second.send(opening(1, 'use'), opening(3, 'use'))
    await until(() => countOf(second, FRAME.data) === 2)
    await until(() => countOf(first, FRAME.reset) === 1)
    assert.deepEqual([first.reset, server.seen.open], [ENHANCE_YOUR_CALM, 3])
  })

  it('takes the place of the one whose answers have not been taken for longest', async () => {
    await using server = await startStreamServer(5_000, { maxMessageStreams: 2 })
    using deaf = await FrameClient.connect(unixOf(server.path))
    await deaf.send(http2Frame(FRAME.settings, 0, 0, setting(INITIAL_WINDOW, 0)))
    await deaf.send(opening(1, 'use'))
    using other = await FrameClient.connect(unixOf(server.path))
    await until(() => server.seen.open === 1)
    await other.send(opening(1, 'use'), opening(3, 'use'))
    await until(() => countOf(other, FRAME.data) === 2)
    await until(() => deaf.reset === ENHANCE_YOUR_CALM)
    assert.equal(server.seen.open, 2)
  })

  it('is refused where all are in use, and served when one has ended', async () => {
    await using server = await startStreamServer(5_000, { maxMessageStreams: 1 })
    using client = await FrameClient.connect(unixOf(server.path))
    await client.send(opening(1, 'use'), opening(3, 'use'))
    await until(() => countOf(client, FRAME.reset) === 1)
    assert.deepEqual([client.reset, server.seen.messages], [REFUSED_STREAM, 1])
    assert.ok(server.log.some((line) => line.includes('too many streams')))
    await client.send(http2Frame(FRAME.reset, 0, 1, Buffer.alloc(4)), opening(5, 'use'))
    await until(() => countOf(client, FRAME.data) === 2)
  })
})

describe('a connection that has too many streams refused or dropped', LIMIT, () => {
  const faults = { burst: 10, perSecond: 0 }

  it('is closed, and no other, when they are refused', async () => {
    await using server = await startStreamServer(5_000, { maxMessageStreams: 1, faults })
    using honest = await FrameClient.connect(unixOf(server.path))
    await honest.send(opening(1, 'use'))
    await until(() => countOf(honest, FRAME.data) === 1)
    using flooder = await FrameClient.connect(unixOf(server.path))
    for (let id = 1; id < 60; id += 2) await flooder.send(opening(id))
    await flooder.closed
    assert.equal(flooder.goaway, ENHANCE_YOUR_CALM)
    assert.ok(server.log.some((line) => line.includes('peer exceeds a limit')))
    await honest.send(http2Frame(FRAME.data, 0, 1, frame(Buffer.from('again'))))
    await until(() => countOf(honest, FRAME.data) === 2)
  })

  it('is closed, and no other, when they make room for those of another', async () => {
    await using server = await startStreamServer(5_000, { maxMessageStreams: 30, faults })
    using flooder = await FrameClient.connect(unixOf(server.path))
    for (let id = 1; id < 60; id += 2) await flooder.send(opening(id))
    await until(() => server.seen.open === 30)
    using honest = await FrameClient.connect(unixOf(server.path))
    const streams = Array.from({ length: 20 }, (_, index) => opening(2 * index + 1, 'use'))
    await honest.send(...streams)
    await flooder.closed
    assert.equal(flooder.goaway, ENHANCE_YOUR_CALM)
    await until(() => countOf(honest, FRAME.data) === 20)
    assert.deepEqual([server.seen.open, honest.isClosed], [20, false])
  })

  it('is closed when they have held something for too long', async () => {
    const held = { most: 1_000_000, longest: 200 }
    await using server = await startStreamServer(5_000, { held, faults })
    using client = await FrameClient.connect(unixOf(server.path))
    for (let id = 1; id < 60; id += 2) await client.send(opening(id)) // without a message
    await client.closed
    assert.equal(client.goaway, ENHANCE_YOUR_CALM)
    await until(() => server.seen.open === 0)
  })
})

describe('a stream that holds something for too long is reset', LIMIT, () => {
  const limits = { held: { most: 1_000_000, longest: 200 } }

  for (const { name, window, content } of [
    { name: 'without a message', window: 65_535, content: Buffer.alloc(0) },
    {
      name: 'with half a message after a whole one',
      window: 65_535,
      content: Buffer.concat([frame(Buffer.from('hello')), frame(Buffer.alloc(9)).subarray(0, 8)]),
    },
    { name: 'with an answer that is not taken', window: 0, content: frame(Buffer.from('hello')) },
  ]) {
    it(name, async () => {
      await using server = await startStreamServer(5_000, limits)
      const session = connectHttp2(server.path, window)
      const stream = openRaw(session)
      stream.resume()
      if (content.length > 0) stream.write(content)
      await until(() => stream.closed)
      assert.equal(stream.rstCode, ENHANCE_YOUR_CALM)
      session.destroy()
    })
  }

  it('but not one that waits for what comes next', async () => {
    await using server = await startStreamServer(5_000, limits)
    const session = connectHttp2(server.path)
    const [quiet, held] = [openRaw(session), openRaw(session)]
    quiet.resume()
    quiet.write(frame(Buffer.from('hello')))
    await until(() => server.seen.messages === 1)
    await until(() => held.closed)
    assert.equal(quiet.closed, false)
    session.destroy()
  })
})

describe('the end of the server', LIMIT, () => {
  it('ends streams, says GOAWAY twice, and takes no stream that comes between', async () => {
    await using server = await startStreamServer()
    using client = await FrameClient.connect(unixOf(server.path))
    await client.send(http2Frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)), opening(1, 'use'))
    await until(() => countOf(client, FRAME.data) === 1)
    const stopped = server.stop()
    await until(() => countOf(client, FRAME.goaway) === 1)
    await client.send(opening(3, 'use'))
    const pong = http2Frame(FRAME.ping, FLAG.ack, 0, Buffer.from('draining'))
    await client.send(pong)
    await client.closed
    await stopped
    assert.deepEqual([countOf(client, FRAME.goaway), client.goaway], [2, 0])
    assert.deepEqual([server.seen.open, server.seen.messages], [0, 1])
  })
})

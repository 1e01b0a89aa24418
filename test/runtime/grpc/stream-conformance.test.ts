// Streams of messages both ways, as "gRPC over HTTP2" and RFC 9113 have them: order, windows, half-close,
// cancellation, deadlines, statuses.

import assert from 'node:assert/strict'
import {
  Client,
  credentials,
  status,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { frame, MessageReader } from '../../../src/runtime/grpc/framing.ts'
import {
  connectHttp2,
  DETAILS,
  ECHO,
  openRaw,
  startStreamServer,
  type FakeStreamServer,
} from '../../fakes/grpc-stream.ts'
import { until } from '../../fakes/until.ts'

const LIMIT = { timeout: 60_000 }
const HELLO = Buffer.from('hello')

const asIs = (bytes: Buffer): Buffer => bytes

/** A client of another make, on a connection of its own. */
class EchoClient implements Disposable {
  readonly #client: Client

  constructor({ path }: FakeStreamServer) {
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 16_777_216,
      'grpc.max_send_message_length': 16_777_216,
    })
  }

  /** Opens a stream, which waits at most so many milliseconds. */
  open(timeout?: number) {
    const call = this.#client.makeBidiStreamRequest<Buffer, Buffer>(
      ECHO,
      asIs,
      asIs,
      timeout === undefined ? {} : { deadline: Date.now() + timeout },
    )
    const { promise, resolve } = Promise.withResolvers<Pick<StatusObject, 'code' | 'details'>>()
    call.on('error', () => {}) // `status` tells it, too
    call.on('status', ({ code, details }) => resolve({ code, details }))
    return { call, ended: promise }
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

const answersOf = async (call: ClientDuplexStream<Buffer, Buffer>): Promise<readonly Buffer[]> => {
  const answers: Buffer[] = []
  for await (const answer of call) answers.push(answer)
  return answers
}

/** The messages that a raw client received. */
const messagesIn = (chunks: readonly Buffer[]): readonly string[] => {
  const messages: Buffer[] = []
  const reader = new MessageReader(1_048_576)
  for (const chunk of chunks) assert.equal(reader.read(chunk, messages), undefined)
  assert.equal(reader.held, undefined)
  return messages.map((message) => message.toString('latin1'))
}

describe('messages on a stream', LIMIT, () => {
  for (const size of [0, 1, 16_379, 16_380, 65_535, 300_000, 1_048_576]) {
    it(`of ${size} bytes come and go in their order, within the windows of both sides`, async () => {
      await using server = await startStreamServer()
      using client = new EchoClient(server)
      const { call, ended } = client.open()
      const messages = Array.from({ length: 5 }, (_, index) => Buffer.alloc(size, `${index}`))
      for (const message of messages) call.write(message)
      call.end()
      assert.deepEqual(await answersOf(call), messages)
      assert.equal((await ended).code, status.OK)
    })
  }

  it('are put together from frames of one byte, and taken apart within a frame', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const stream = openRaw(session)
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    const texts = ['first', '', 'x'.repeat(300)]
    for (const byte of Buffer.concat(texts.map((text) => frame(Buffer.from(text))))) {
      stream.write(Buffer.from([byte]))
    }
    stream.end(Buffer.concat(['a', 'b'].map((text) => frame(Buffer.from(text)))))
    await once(stream, 'close')
    assert.deepEqual(messagesIn(chunks), [...texts, 'a', 'b'])
    session.destroy()
  })

  it('are answered one by one while the stream stays open', async () => {
    await using server = await startStreamServer()
    using client = new EchoClient(server)
    const { call, ended } = client.open()
    for (const text of ['one', 'two', 'three']) {
      const answer = once(call, 'data')
      call.write(Buffer.from(text))
      assert.equal(String((await answer)[0]), text)
    }
    assert.equal(server.seen.open, 1)
    call.end()
    assert.equal((await ended).code, status.OK)
    assert.equal(server.seen.open, 0)
  })

  it('are each those of their stream, on 1,000 streams at once', async () => {
    await using server = await startStreamServer()
    using client = new EchoClient(server)
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => {
        const { call } = client.open()
        for (const part of 'abc') call.write(Buffer.from(`${index}${part}`))
        call.end()
        return (await answersOf(call)).map(String)
      }),
    )
    assert.deepEqual(
      answers,
      answers.map((_, index) => ['a', 'b', 'c'].map((part) => `${index}${part}`)),
    )
    await until(() => server.seen.open === 0)
  })
})

describe('the windows of a peer', LIMIT, () => {
  it('of one byte are enough', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path, 1)
    const stream = openRaw(session)
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    stream.end(frame(HELLO))
    await once(stream, 'close')
    assert.deepEqual(messagesIn(chunks), ['hello'])
    session.destroy()
  })

  it('hold back a slow reader’s messages, of which none is lost when it reads', async () => {
    await using server = await startStreamServer()
    using client = new EchoClient(server)
    const [slow, other] = [client.open(), client.open()]
    const messages = Array.from({ length: 300 }, (_, index) => Buffer.alloc(10_000, `${index},`))
    for (const message of messages) slow.call.write(message)
    slow.call.end()
    // The other stream of the connection is not held up.
    const answer = once(other.call, 'data')
    other.call.write(HELLO)
    assert.deepEqual(await answer, [HELLO])
    assert.ok(server.seen.messages < 200, `${server.seen.messages} messages were taken`)
    assert.deepEqual(await answersOf(slow.call), messages)
    assert.equal((await slow.ended).code, status.OK)
  })
})

describe('the end of a stream', LIMIT, () => {
  it('by the caller comes after its answers, with OK', async () => {
    await using server = await startStreamServer()
    using client = new EchoClient(server)
    const { call, ended } = client.open()
    call.end(HELLO)
    assert.deepEqual(await answersOf(call), [HELLO])
    assert.deepEqual(await ended, { code: status.OK, details: '' })
  })

  it('by the handler carries its status and its details', async () => {
    await using server = await startStreamServer()
    using client = new EchoClient(server)
    const { call, ended } = client.open()
    call.write(Buffer.from('end'))
    assert.deepEqual(await answersOf(call).catch(() => []), [])
    assert.deepEqual(await ended, { code: status.ABORTED, details: DETAILS })
    assert.equal(server.seen.open, 0)
  })

  it('by the handler comes after the answers that a slow reader has not taken', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path, 10)
    const stream = openRaw(session)
    const trailers = once(stream, 'trailers')
    stream.write(Buffer.concat([frame(Buffer.alloc(1_000, 'x')), frame(Buffer.from('end'))]))
    await until(() => server.seen.open === 0)
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    const [{ 'grpc-status': code }] = await trailers
    assert.equal(code, String(status.ABORTED))
    assert.deepEqual(messagesIn(chunks), ['x'.repeat(1_000)])
    session.destroy()
  })

  it('by RST_STREAM calls the handler, and that of no other stream', async () => {
    await using server = await startStreamServer()
    using client = new EchoClient(server)
    const [cancelled, other] = [client.open(), client.open()]
    for (const { call } of [cancelled, other]) call.write(HELLO)
    await until(() => server.seen.messages === 2)
    cancelled.call.cancel()
    assert.equal((await cancelled.ended).code, status.CANCELLED)
    await until(() => server.seen.open === 1)
    const answers = answersOf(other.call)
    other.call.end(HELLO)
    assert.deepEqual(await answers, [HELLO, HELLO])
  })

  it('by its deadline calls the handler, whose answers came before', async () => {
    await using server = await startStreamServer()
    const session = connectHttp2(server.path)
    const stream = openRaw(session, { 'grpc-timeout': '300m' })
    const trailers = once(stream, 'trailers')
    stream.write(frame(HELLO))
    assert.deepEqual(await once(stream, 'data'), [frame(HELLO)])
    const [{ 'grpc-status': code }] = await trailers
    assert.equal(code, String(status.DEADLINE_EXCEEDED))
    assert.equal(server.seen.open, 0)
    session.destroy()
  })

  for (const { name, content, want } of [
    {
      name: 'a message that is cut short',
      content: frame(HELLO).subarray(0, 7),
      want: status.INTERNAL,
    },
    {
      name: 'a compressed message',
      content: Buffer.concat([Buffer.from([1]), frame(HELLO).subarray(1)]),
      want: status.UNIMPLEMENTED,
    },
    {
      name: 'a message that is too long',
      content: Buffer.from([0, 0, 0x10, 0, 1]),
      want: status.RESOURCE_EXHAUSTED,
    },
  ]) {
    it(`for ${name} is ${status[want]}`, async () => {
      await using server = await startStreamServer()
      const session = connectHttp2(server.path)
      const stream = openRaw(session)
      const trailers = once(stream, 'trailers')
      stream.resume()
      stream.end(content)
      const [{ 'grpc-status': code }] = await trailers
      assert.equal(code, String(want))
      assert.equal(server.seen.open, 0)
      session.destroy()
    })
  }
})

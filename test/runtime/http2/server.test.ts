// What the server does that h2spec does not look at: its windows, limits and times, and its end.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type ClientHttp2Session } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import {
  callHeaders,
  FLAG,
  FRAME,
  frame,
  FrameClient,
  number32,
  setting,
} from '../../fakes/http2-frames.ts'
import { until } from '../../fakes/until.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { startHelloServer, type HelloServer } from './hello-server.ts'

const LIMIT = { timeout: 60_000 }
const NO_PAYLOAD = Buffer.alloc(0)
const ACK = frame(FRAME.settings, FLAG.ack, 0, NO_PAYLOAD)

const clientOf = (
  server: HelloServer,
  settings: Parameters<ClientHttp2Session['settings']>[0] = {},
): ClientHttp2Session => {
  const session = connect(`http://127.0.0.1:${server.port}`, { settings })
  session.on('error', () => {})
  return session
}

const request = (session: ClientHttp2Session, path = '/') => {
  const stream = session.request({ ':method': 'POST', ':path': path })
  stream.on('error', () => {})
  return stream
}

const opening = (stream: number, path = '/wait', flags: number = FLAG.endHeaders): Buffer =>
  frame(FRAME.headers, flags, stream, callHeaders(path))

const countOf = ({ received }: FrameClient, type: number): number => received.get(type) ?? 0

describe('the windows', LIMIT, () => {
  for (const window of [1, 100, 65_535, 1_000_000]) {
    it(`of ${window} bytes of the peer bound what is sent, and all of it is sent`, async () => {
      await using server = await startHelloServer()
      const session = clientOf(server, { initialWindowSize: window })
      const content = Buffer.alloc(window === 1 ? 300 : 200_000, 'abc')
      const stream = request(session)
      stream.end(content)
      assert.ok((await buffer(stream)).equals(content))
      session.destroy()
    })
  }

  it('of the server are opened again for content that is long', async () => {
    await using server = await startHelloServer()
    const session = clientOf(server)
    const content = Buffer.alloc(5_000_000, 'abc')
    const streams = Array.from({ length: 3 }, () => request(session))
    for (const stream of streams) stream.end(content)
    const answers = await Promise.all(streams.map((stream) => buffer(stream)))
    assert.ok(answers.every((answer) => answer.equals(content)))
    session.destroy()
  })

  it('of a stream must not be exceeded, padding included', async () => {
    await using server = await startHelloServer({ streamWindow: 100 })
    using client = await FrameClient.connect(server.address)
    const padded = Buffer.alloc(101)
    padded.writeUInt8(90, 0)
    await client.send(opening(1), frame(FRAME.data, FLAG.padded, 1, padded))
    await until(() => countOf(client, FRAME.reset) === 1)
    assert.equal(client.reset, 3)
  })

  it('of the connection must not be exceeded', async () => {
    await using server = await startHelloServer({ connectionWindow: 100 })
    using client = await FrameClient.connect(server.address)
    await client.send(opening(1), frame(FRAME.data, 0, 1, Buffer.alloc(101)))
    await client.closed
    assert.equal(client.goaway, 3)
  })

  it('may become negative, and then nothing is sent until they are positive', async () => {
    await using server = await startHelloServer()
    using client = await FrameClient.connect(server.address)
    const window = (size: number): Buffer => frame(FRAME.settings, 0, 0, setting(4, size))
    const content = frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(100))
    await client.send(window(50), opening(1, '/'), content)
    await until(() => countOf(client, FRAME.data) === 1)
    await client.send(window(0), frame(FRAME.windowUpdate, 0, 1, number32(50)))
    await client.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    await until(() => countOf(client, FRAME.ping) === 1)
    assert.equal(countOf(client, FRAME.data), 1)
    await client.send(frame(FRAME.windowUpdate, 0, 1, number32(50)))
    await until(() => countOf(client, FRAME.data) === 2)
  })
})

describe('the limits', LIMIT, () => {
  it('refuse a stream above the number that was announced, and serve the next one', async () => {
    await using server = await startHelloServer({ maxStreams: 2 })
    using client = await FrameClient.connect(server.address)
    await client.send(opening(1), opening(3), opening(5))
    await until(() => countOf(client, FRAME.reset) === 1)
    assert.equal(server.heads.length, 2)
    await client.send(frame(FRAME.reset, 0, 1, number32(8)), opening(7))
    await until(() => server.heads.length === 3)
  })

  it('close the connection that has been unused for longest when there are too many', async () => {
    await using server = await startHelloServer({ maxConnections: 3 })
    const clients = []
    for (let index = 0; index < 3; index++) {
      const client = await FrameClient.connect(server.address)
      clients.push(client)
      // The first has a stream; the second is the one that has been unused for longest.
      if (index === 0) await client.send(opening(1))
      await until(() => countOf(client, FRAME.settings) > 0)
    }
    const [used, unused, other] = clients
    await until(() => server.heads.length === 1)
    clients.push(await FrameClient.connect(server.address))
    await unused?.closed
    assert.deepEqual([used?.isClosed, other?.isClosed], [false, false])
    for (const client of clients) client[Symbol.dispose]()
  })

  for (const { name, limits, frames, code } of [
    {
      name: 'RST_STREAM frames',
      limits: { resets: { burst: 10, perSecond: 0 } },
      frames: (index: number) => [opening(index), frame(FRAME.reset, 0, index, number32(8))],
      code: 11,
    },
    {
      name: 'streams with a fault',
      limits: { faults: { burst: 10, perSecond: 0 } },
      frames: (index: number) => [opening(index, 'no-slash')],
      code: 11,
    },
    {
      name: 'PING frames',
      limits: { idleFrames: { burst: 10, perSecond: 0 } },
      frames: () => [frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
      code: 11,
    },
    {
      name: 'acknowledgments of SETTINGS',
      limits: { idleFrames: { burst: 10, perSecond: 0 } },
      frames: () => [ACK],
      code: 11,
    },
  ]) {
    it(`end a connection with too many ${name}`, async () => {
      await using server = await startHelloServer(limits)
      using client = await FrameClient.connect(server.address)
      for (let index = 1; index < 60; index += 2) await client.send(...frames(index))
      await client.closed
      assert.equal(client.goaway, code)
    })
  }

  it('give frames back for requests, so that a client that works is not ended', async () => {
    await using server = await startHelloServer({ idleFrames: { burst: 20, perSecond: 0 } })
    using client = await FrameClient.connect(server.address)
    for (let index = 1; index < 400; index += 2) {
      const update = frame(FRAME.windowUpdate, 0, 0, number32(13))
      await client.send(opening(index, '/', FLAG.endHeaders | FLAG.endStream), update, update)
    }
    await until(() => countOf(client, FRAME.data) === 200)
    assert.equal(client.goaway, undefined)
  })

  it('reset a request whose header list is too large, and serve the next one', async () => {
    await using server = await startHelloServer({ maxHeaderListSize: 1_000 })
    const session = clientOf(server)
    const large = session.request({ ':path': '/', 'x-large': 'x'.repeat(1_000) })
    large.on('error', () => {})
    large.resume()
    await until(() => large.closed)
    assert.equal(large.rstCode, 11)
    assert.equal((await buffer(request(session).end())).toString(), 'hello, world\n')
    session.destroy()
  })

  it('stop reading from a peer that does not read, and close it when it never does', async () => {
    await using server = await startHelloServer({ maxOutput: 65_536, stalledTime: 2_000 })
    using client = await FrameClient.connect(server.address)
    client.pause()
    const wide = frame(FRAME.settings, 0, 0, setting(4, 0x7f_ff_ff_ff))
    await client.send(wide, frame(FRAME.windowUpdate, 0, 0, number32(0x7f_00_00_00)))
    const content = frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(16_384))
    let sent = 0
    for (let id = 1; id < 20_000 && !client.isClosed; id += 2) {
      content.writeUInt32BE(id, 5)
      const taken = client.send(opening(id, '/'), content)
      if ((await Promise.race([taken, once(AbortSignal.timeout(500), 'abort')])) !== undefined)
        break
      sent += 1
    }
    assert.ok(sent < 9_000, `${sent} requests were taken`)
    await until(() => server.log.some((line) => line.includes('the peer does not read')))
    client.resume()
    await client.closed
  })
})

describe('the times', LIMIT, () => {
  it('end a connection without a preface', async () => {
    await using server = await startHelloServer({ prefaceTime: 200 })
    const socket = connectSocket(server.port, '127.0.0.1').on('error', () => {})
    await once(socket.resume(), 'close')
  })

  it('end a connection that does not acknowledge the settings', async () => {
    await using server = await startHelloServer({ settingsTime: 200 })
    using client = await FrameClient.connect(server.address)
    await client.closed
    assert.equal(client.goaway, 4)
  })

  it('end a connection that is not used, gracefully', async () => {
    await using server = await startHelloServer({ idleTime: 200 })
    const session = clientOf(server)
    assert.equal((await buffer(request(session).end())).toString(), 'hello, world\n')
    const [code] = await once(session, 'goaway')
    assert.equal(code, 0)
    if (!session.closed) await once(session, 'close')
  })

  it('do not end one with a stream', async () => {
    await using server = await startHelloServer({ idleTime: 100 })
    const session = clientOf(server)
    const waiting = request(session, '/wait')
    waiting.end()
    await until(() => server.open.size === 1)
    const other = clientOf(server)
    await once(other, 'goaway') // it is older than that
    assert.equal(waiting.closed, false)
    session.destroy()
    other.destroy()
  })
})

describe('the end', LIMIT, () => {
  it('announces itself, serves what is under way, and closes when all is answered', async () => {
    await using server = await startHelloServer()
    using client = await FrameClient.connect(server.address)
    await client.send(ACK, opening(1))
    await until(() => server.open.size === 1)
    const closed = server.close(10_000)
    await until(() => countOf(client, FRAME.ping) === 1)
    assert.equal(countOf(client, FRAME.goaway), 1)
    // The request was under way when GOAWAY was sent.
    await client.send(opening(3, '/', FLAG.endHeaders | FLAG.endStream))
    await until(() => countOf(client, FRAME.data) === 1)
    await client.send(frame(FRAME.ping, FLAG.ack, 0, Buffer.from('draining')))
    await until(() => countOf(client, FRAME.goaway) === 2)
    // This one was not: the last GOAWAY says that it is ignored.
    await client.send(opening(5, '/', FLAG.endHeaders | FLAG.endStream))
    await client.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    await until(() => countOf(client, FRAME.ping) === 2)
    assert.equal(server.heads.length, 2)
    assert.equal(client.isClosed, false)
    await client.send(frame(FRAME.reset, 0, 1, number32(8)))
    await client.closed
    await closed
    assert.equal(client.goaway, 0)
  })

  for (const kind of ['tcp', 'unix'] as const) {
    it(`serves a connection that waited to be accepted when it began (${kind})`, async () => {
      await using folder = await temporaryFolder()
      const address = kind === 'unix' ? { kind, path: folder.file('server.sock') } : undefined
      await using server = await startHelloServer({}, address)
      // Connecting ends in the kernel: the event loop of the server has no turn before it closes.
      const connecting = FrameClient.connect(server.address)
      const closed = server.close(10_000)
      using client = await connecting
      await client.send(ACK, opening(1, '/', FLAG.endHeaders | FLAG.endStream))
      await until(() => countOf(client, FRAME.data) === 1)
      await until(() => countOf(client, FRAME.ping) === 1)
      await client.send(frame(FRAME.ping, FLAG.ack, 0, Buffer.from('draining')))
      await client.closed
      await closed
      assert.equal(client.goaway, 0)
    })
  }

  it('waits no longer than it may', async () => {
    await using server = await startHelloServer()
    using client = await FrameClient.connect(server.address)
    await client.send(ACK, opening(1))
    await until(() => server.open.size === 1)
    await server.close(100)
    await client.closed
    assert.equal(server.open.size, 0)
  })

  it('of a connection closes its streams', async () => {
    await using server = await startHelloServer()
    using client = await FrameClient.connect(server.address)
    await client.send(opening(1), opening(3))
    await until(() => server.open.size === 2)
    client[Symbol.dispose]()
    await until(() => server.open.size === 0)
  })
})

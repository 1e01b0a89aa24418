// What the built-in server does that the reference implementation does not: turns, bounds, and TLS by node:tls.

import assert from 'node:assert/strict'
import { Client, credentials, status } from '@grpc/grpc-js'
import { once } from 'node:events'
import { chmod, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { healthService } from '../../../src/proto/load.ts'
import { startBuiltInServer } from '../../../src/runtime/grpc/built-in-server.ts'
import { frame } from '../../../src/runtime/grpc/framing.ts'
import type { UnaryCall, UnaryMethod } from '../../../src/runtime/grpc/unary.ts'
import { targetOf, type ListenAddress } from '../../../src/runtime/listen.ts'
import { ReplaceableTls } from '../../../src/runtime/server-tls.ts'
import { connectHttp2, openRaw } from '../../fakes/grpc-stream.ts'
import {
  callHeaders,
  FLAG,
  FRAME,
  frame as http2Frame,
  FrameClient,
} from '../../fakes/http2-frames.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { until } from '../../fakes/until.ts'
import { createAuthority, createPki, type KeyPair, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { METHOD } from './conformance-server.ts'

const LIMIT = { timeout: 60_000 }
const LOOPBACK: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 }
const HELLO = Buffer.from('hello')

type Options = Parameters<typeof startBuiltInServer>[0]

const start = async (method: Omit<UnaryMethod, 'path'>, more: Partial<Options> = {}) =>
  await startBuiltInServer({
    address: LOOPBACK,
    mode: 0o600,
    tls: undefined,
    methods: [{ path: METHOD, ...method }],
    grace: 1_000,
    logger: memoryLogger().logger,
    ...more,
  })

const callFrames = (stream: number, message: Buffer = HELLO): readonly Buffer[] => [
  http2Frame(FRAME.headers, FLAG.endHeaders, stream, callHeaders(METHOD)),
  http2Frame(FRAME.data, FLAG.endStream, stream, frame(message)),
]

const countOf = ({ received }: FrameClient, type: number): number => received.get(type) ?? 0

describe('one read', LIMIT, () => {
  it('is handled whole, then flushed once, then answered', async () => {
    const order: string[] = []
    const waiting: UnaryCall[] = []
    await using server = await start({
      handle: (_message, call) => {
        order.push('handled')
        waiting.push(call)
      },
      flush: () => {
        order.push('flushed')
        for (const call of waiting.splice(0)) call.answer(HELLO)
      },
    })
    using client = await FrameClient.connect(server.address)
    await client.send(...[1, 3, 5].flatMap((stream) => callFrames(stream)))
    await until(() => countOf(client, FRAME.data) === 3)
    assert.deepEqual(order, ['handled', 'handled', 'handled', 'flushed'])
  })

  it('is flushed also for a call whose head came in an earlier one', async () => {
    let flushes = 0
    await using server = await start({
      handle: (message, call) => call.answer(Buffer.from(message)),
      flush: () => {
        flushes += 1
      },
    })
    using client = await FrameClient.connect(server.address)
    const [head = HELLO, data = HELLO] = callFrames(1)
    await client.send(head)
    await until(() => flushes === 1)
    await client.send(data)
    await until(() => countOf(client, FRAME.data) === 1)
    assert.equal(flushes, 2)
  })
})

describe('the bounds', LIMIT, () => {
  it('reset the stream that has held an incomplete message for too long', async () => {
    await using server = await start(
      { handle: (message, call) => call.answer(Buffer.from(message)) },
      { limits: { held: { most: 1_000_000, longest: 200 } } },
    )
    using client = await FrameClient.connect(server.address)
    const [head = HELLO] = callFrames(1)
    const part = http2Frame(FRAME.data, 0, 3, frame(Buffer.alloc(1_000)).subarray(0, 500))
    const [second = HELLO] = callFrames(3)
    await client.send(head, second, part)
    await until(() => countOf(client, FRAME.reset) === 2)
    await client.send(...callFrames(5))
    await until(() => countOf(client, FRAME.data) === 1)
  })

  it('reset the first of the streams that hold too much', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('a.sock')
    await using server = await start(
      { handle: (message, call) => call.answer(Buffer.from(message)) },
      { limits: { held: { most: 40_000 } }, address: { kind: 'unix', path } },
    )
    assert.equal(server.address.kind, 'unix')
    const session = connectHttp2(path)
    const streams = Array.from({ length: 3 }, () => openRaw(session, { ':path': METHOD }))
    const message = frame(Buffer.alloc(20_000))
    for (const stream of streams) stream.write(message.subarray(0, 15_000))
    await until(() => streams.some(({ closed }) => closed))
    assert.deepEqual(
      streams.map(({ closed, rstCode }) => [closed, rstCode]),
      [
        [true, 11],
        [false, 0],
        [false, 0],
      ],
    )
    session.destroy()
  })

  it('refuse calls while too many handlers wait, also for callers that have reset theirs', async () => {
    const calls: UnaryCall[] = []
    await using server = await start(
      { handle: (_message, call) => void calls.push(call) },
      { limits: { maxRunning: 2, faults: { burst: 10, perSecond: 0 } } },
    )
    using client = await FrameClient.connect(server.address)
    const reset = http2Frame(FRAME.reset, 0, 1, Buffer.from([0, 0, 0, 8]))
    await client.send(...callFrames(1), reset, ...callFrames(3))
    // The peer did nothing wrong: however many there are, the connection remains.
    for (let stream = 5; stream < 105; stream += 2) await client.send(...callFrames(stream))
    await until(() => countOf(client, FRAME.reset) === 50)
    assert.equal(client.reset, 7) // REFUSED_STREAM
    assert.equal(calls.length, 2)
    calls[0]?.answer(HELLO)
    await client.send(...callFrames(105))
    await until(() => calls.length === 3)
  })

  it('hold nothing of an answer that is given twice, or to a call that was cancelled', async () => {
    const calls: UnaryCall[] = []
    await using server = await start({ handle: (_message, call) => void calls.push(call) })
    using client = await FrameClient.connect(server.address)
    const reset = http2Frame(FRAME.reset, 0, 3, Buffer.from([0, 0, 0, 8]))
    await client.send(...callFrames(1), ...callFrames(3), reset)
    await until(() => calls.length === 2)
    for (const call of [...calls, ...calls]) call.answer(HELLO)
    await client.send(http2Frame(FRAME.ping, 0, 0, Buffer.alloc(8)))
    await until(() => countOf(client, FRAME.ping) === 1)
    assert.equal(countOf(client, FRAME.data), 1)
  })
})

describe('a watch of health', LIMIT, () => {
  it('ends with UNAVAILABLE when the server closes', async () => {
    const server = await start({ handle: () => {} })
    const client = new Client(targetOf(server.address), credentials.createInsecure())
    const { Watch } = healthService
    const watch = client.makeServerStreamRequest(
      Watch.path,
      Watch.requestSerialize,
      Watch.responseDeserialize,
      { service: '' },
    )
    const codes: number[] = []
    watch.on('error', () => {})
    watch.on('status', ({ code }) => void codes.push(code))
    assert.deepEqual(await once(watch, 'data'), [{ status: 'SERVING' }])
    await server[Symbol.asyncDispose]()
    await until(() => codes.length > 0)
    assert.deepEqual(codes, [status.UNAVAILABLE])
    client.close()
  })
})

const materialOf = async ({ upstream, ca }: Pki) => ({
  certificate: await readFile(upstream.certificate),
  key: await readFile(upstream.key),
  clientCa: await readFile(ca),
})

const call = async (address: ListenAddress, ca: string, pair: KeyPair): Promise<string> => {
  const channel = credentials.createSsl(
    await readFile(ca),
    await readFile(pair.key),
    await readFile(pair.certificate),
  )
  const client = new Client(targetOf(address), channel, {
    'grpc.ssl_target_name_override': 'localhost',
  })
  const { promise, resolve } = Promise.withResolvers<string>()
  const asIs = (bytes: Buffer): Buffer => bytes
  client.makeUnaryRequest(
    METHOD,
    asIs,
    asIs,
    HELLO,
    { deadline: Date.now() + 3_000 },
    (error, answer) => resolve(error === null ? String(answer) : 'refused'),
  )
  try {
    return await promise
  } finally {
    client.close()
  }
}

describe('mutual TLS', LIMIT, () => {
  const echo = { handle: (message: Buffer, unary: UnaryCall) => unary.answer(Buffer.from(message)) }

  it('serves a peer that the CA knows, and no other', async () => {
    await using pki = await createPki()
    await using stranger = await createAuthority('another CA')
    await using server = await start(echo, { tls: new ReplaceableTls(await materialOf(pki)) })
    assert.equal(await call(server.address, pki.ca, pki.frontProxy), 'hello')
    const pair = await stranger.issue({ commonName: 'front-proxy', usage: 'client' })
    assert.equal(await call(server.address, pki.ca, pair), 'refused')
  })

  it('takes the material that replaces another for handshakes from then on', async () => {
    await using pki = await createPki()
    await using next = await createPki()
    const tls = new ReplaceableTls(await materialOf(pki))
    await using server = await start(echo, { tls })
    assert.equal(await call(server.address, pki.ca, pki.frontProxy), 'hello')
    tls.replace(await materialOf(next))
    assert.equal(await call(server.address, pki.ca, pki.frontProxy), 'refused')
    assert.equal(await call(server.address, next.ca, next.frontProxy), 'hello')
  })

  it('closes a connection that did not negotiate HTTP/2', async () => {
    await using pki = await createPki()
    await using server = await start(echo, { tls: new ReplaceableTls(await materialOf(pki)) })
    assert.ok(server.address.kind === 'tcp')
    const socket = connectTls({
      port: server.address.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: await readFile(pki.ca),
      key: await readFile(pki.frontProxy.key),
      cert: await readFile(pki.frontProxy.certificate),
    })
    socket.on('error', () => {})
    await once(socket.resume(), 'close')
  })
})

describe('a socket', LIMIT, () => {
  it('that is in use by another process is not taken', async () => {
    await using folder = await temporaryFolder()
    const address: ListenAddress = { kind: 'unix', path: folder.file('a.sock') }
    await using first = await start({ handle: () => {} }, { address })
    assert.equal(first.address, address)
    await assert.rejects(start({ handle: () => {} }, { address }), { code: 'listen-failed' })
  })

  it('in a folder where every user could replace it is not made', async () => {
    await using folder = await temporaryFolder()
    await chmod(folder.path, 0o777)
    const address: ListenAddress = { kind: 'unix', path: folder.file('a.sock') }
    await assert.rejects(start({ handle: () => {} }, { address }), {
      code: 'listen-failed',
      message: /every user may write/,
    })
  })
})

describe('a port', LIMIT, () => {
  it('that another socket has is named in the error', async () => {
    await using server = await start({ handle: () => {} })
    await assert.rejects(start({ handle: () => {} }, { address: server.address }), {
      code: 'listen-failed',
      message: /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    })
  })
})

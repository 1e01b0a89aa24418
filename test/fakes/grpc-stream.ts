// Methods for tests of the server of streams, and a peer that speaks only HTTP/2.

import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { GRPC_OK } from '../../src/runtime/grpc/framing.ts'
import type { StreamMethod } from '../../src/runtime/grpc/message-stream.ts'
import { startGrpcStreamServer } from '../../src/runtime/grpc/stream-server.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { memoryLogger } from './logger.ts'

/** A running server, and what its method saw. */
export interface FakeStreamServer extends AsyncDisposable {
  readonly path: string
  readonly log: readonly string[]
  /** Messages that arrived at `/test.Test/Echo`, and streams of it that are open. */
  readonly seen: { messages: number; open: number }
  /** Stops the server and leaves the rest. */
  stop(): Promise<void>
}

/** What the method does besides sending back what it got. */
const COMMANDS: Readonly<Record<string, () => never>> = {
  throw: () => {
    throw new Error('handler broken')
  },
}

/** Starts a server with an echo, which throws when it is sent `throw`. */
export const startStreamServer = async (grace = 5_000): Promise<FakeStreamServer> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const { logger, lines } = memoryLogger()
  const seen = { messages: 0, open: 0 }
  const echo: StreamMethod = {
    path: '/test.Test/Echo',
    open: (stream) => {
      seen.open += 1
      return {
        receive: (message) => {
          seen.messages += 1
          COMMANDS[message.toString()]?.()
          stream.send(message)
        },
        finished: () => stream.end(GRPC_OK),
        closed: () => {
          seen.open -= 1
        },
      }
    },
  }
  const path = folder.file('test.sock')
  const server = await startGrpcStreamServer({
    address: { kind: 'unix', path },
    mode: 0o600,
    tls: undefined,
    methods: [echo],
    maxStreams: 10_000,
    grace,
    logger,
  })
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopped ??= Promise.resolve(server[Symbol.asyncDispose]())
    await stopped
  }
  stack.defer(stop)
  const owned = stack.move()
  return { path, log: lines, seen, stop, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A connection without gRPC. */
export const connectHttp2 = (path: string, initialWindowSize = 65_535): ClientHttp2Session => {
  const session = connect('http://localhost', {
    createConnection: () => connectSocket(path),
    settings: { initialWindowSize },
    maxSessionMemory: 1_000,
  })
  session.on('error', () => {})
  return session
}

/** Opens a stream as a gRPC client does, except where the test says otherwise. */
export const openRaw = (
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream => {
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': '/test.Test/Echo',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    },
    { endStream: false },
  )
  stream.on('error', () => {})
  return stream
}

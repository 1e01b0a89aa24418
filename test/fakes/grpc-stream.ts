// Methods for tests of streams of messages, and a peer that speaks only HTTP/2.

import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { startBuiltInServer } from '../../src/runtime/grpc/built-in-server.ts'
import { GRPC_CODES, GRPC_OK } from '../../src/runtime/grpc/framing.ts'
import { streamLimits, type GrpcLimits } from '../../src/runtime/grpc/limits.ts'
import type { MessageStream, StreamMethod } from '../../src/runtime/grpc/message-stream.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { memoryLogger } from './logger.ts'

/** A running server, and what its method saw. */
export interface FakeStreamServer extends AsyncDisposable {
  readonly path: string
  readonly log: readonly string[]
  /** Messages that arrived at {@link ECHO}, and streams of it that are open. */
  readonly seen: { messages: number; open: number }
  /** Stops the server and leaves the rest. */
  stop(): Promise<void>
}

/** The method. */
export const ECHO = '/test.Test/Echo'

/** A text that a header cannot carry as it is. */
export const DETAILS = 'für 100 % von\nallen'

/** What the method does besides sending back what it got. */
const COMMANDS: Readonly<Record<string, (stream: MessageStream) => void>> = {
  throw: () => {
    throw new Error('handler broken')
  },
  use: (stream) => stream.setInUse(true),
  end: (stream) => stream.end({ code: GRPC_CODES.aborted, details: DETAILS }),
}

const echoOf = (seen: FakeStreamServer['seen']): StreamMethod => ({
  path: ECHO,
  open: (stream) => {
    seen.open += 1
    return {
      receive: (message) => {
        seen.messages += 1
        COMMANDS[message.toString('latin1', 0, 10)]?.(stream)
        stream.send(message)
      },
      finished: () => stream.end(GRPC_OK),
      closed: () => {
        seen.open -= 1
      },
    }
  },
})

/**
 * Starts a server with an echo, which throws when it is sent `throw`, ends the stream with ABORTED and
 * {@link DETAILS} for `end`, and regards the stream as in use from `use` on.
 */
export const startStreamServer = async (
  grace = 5_000,
  limits: Partial<GrpcLimits> = {},
): Promise<FakeStreamServer> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const { logger, lines } = memoryLogger()
  const seen = { messages: 0, open: 0 }
  const path = folder.file('test.sock')
  const server = await startBuiltInServer({
    address: { kind: 'unix', path },
    mode: 0o600,
    tls: undefined,
    streams: [echoOf(seen)],
    limits: { ...streamLimits(10_000), ...limits },
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
      ':path': ECHO,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    },
    { endStream: false },
  )
  stream.on('error', () => {})
  return stream
}

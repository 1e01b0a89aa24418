// A server of HTTP/2 whose application answers every request with a greeting, or with what it was sent.

import { encodeFields } from '../../../src/runtime/http2/hpack/encoder.ts'
import type { Http2Limits } from '../../../src/runtime/http2/limits.ts'
import type { RequestHead } from '../../../src/runtime/http2/request-head.ts'
import { startHttp2Server } from '../../../src/runtime/http2/server.ts'
import type { Http2Stream, StreamReceiver } from '../../../src/runtime/http2/stream.ts'
import type { Http2Application } from '../../../src/runtime/http2/streams.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { memoryLogger } from '../../fakes/logger.ts'

/** A running server. */
export interface HelloServer extends AsyncDisposable {
  readonly address: ListenAddress
  readonly port: number
  /** Heads of the requests, oldest first. */
  readonly heads: RequestHead[]
  /** Streams that are open. */
  readonly open: Set<Http2Stream>
  readonly log: readonly string[]
  /** Ends it gracefully. */
  close(grace: number): Promise<void>
}

/** What is answered, unless the request has content: that is answered then. */
const GREETING = Buffer.from('hello, world\n')

const HEAD = encodeFields({ ':status': '200', 'content-type': 'text/plain' })
const TRAILERS = encodeFields({ 'x-end': 'yes' })
const NO_PREFIX = Buffer.alloc(0)

/** Starts it on loopback. A request for `/wait` is answered by nothing. */
export const startHelloServer = async (
  limits: Partial<Http2Limits> = {},
  address: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 },
): Promise<HelloServer> => {
  const heads: RequestHead[] = []
  const open = new Set<Http2Stream>()
  const application: Http2Application<RequestHead> = {
    prepare: (head) => head,
    accepts: () => true,
    open: (stream, head): StreamReceiver => {
      heads.push(head)
      open.add(stream)
      const parts: Buffer[] = []
      return {
        data: (bytes, start, end) => void parts.push(Buffer.from(bytes.subarray(start, end))),
        finished: () => {
          if (head.path === '/wait') return
          const content = parts.length > 0 ? Buffer.concat(parts) : GREETING
          stream.sendResponse(HEAD, NO_PREFIX, content, TRAILERS)
        },
        drained: () => {},
        closed: () => void open.delete(stream),
      }
    },
    readEnd: () => {},
  }
  const { logger, lines } = memoryLogger()
  const server = await startHttp2Server({
    address,
    mode: 0o600,
    tls: undefined,
    application,
    limits,
    logger,
  })
  let closing: Promise<void> | undefined
  const close = async (grace: number): Promise<void> => {
    closing ??= server.close(grace)
    await closing
  }
  return {
    address: server.address,
    port: server.address.kind === 'tcp' ? server.address.port : 0,
    heads,
    open,
    log: lines,
    close,
    [Symbol.asyncDispose]: () => close(0),
  }
}

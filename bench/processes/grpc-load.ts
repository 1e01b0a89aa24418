// Load as Envoy makes it: one HTTP/2 connection that carries every check, the messages encoded
// beforehand. node:http2 rather than a gRPC client, whose own cost would compete for the cores.

import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { CHECK_METHOD } from '../method.ts'
import { AnswerCheck } from './check-answer.ts'
import { generateLoad } from './load.ts'

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS } = constants

// What Envoy 1.40.0 sends with a check, as captured.
const HEADERS = {
  [HTTP2_HEADER_METHOD]: 'POST',
  [HTTP2_HEADER_PATH]: CHECK_METHOD,
  ':scheme': 'http',
  ':authority': 'countersign:authz',
  te: 'trailers',
  'grpc-timeout': '5000m',
  'content-type': 'application/grpc',
  'x-envoy-internal': 'true',
  'x-forwarded-for': '192.0.2.10',
  'x-envoy-expected-rq-timeout-ms': '5000',
}

const WINDOW = 1_048_576

generateLoad(async (address, connections, exchanges) => {
  const sessions = await Promise.all(Array.from({ length: connections }, () => open(address)))
  const checks = new Map<string, AnswerCheck>()
  const prepared = exchanges.map(({ bytes, expectation }) => {
    const key = JSON.stringify(expectation)
    const check = checks.get(key) ?? new AnswerCheck(expectation)
    checks.set(key, check)
    return { bytes, check }
  })
  return async (index) => {
    const session = sessions[index % sessions.length]
    const exchange = prepared[index % prepared.length]
    if (session === undefined || exchange === undefined) throw new Error('nothing to send')
    exchange.check.check(await call(session, exchange.bytes))
  }
})

const open = async (address: string | number): Promise<ClientHttp2Session> => {
  const session = connectHttp2('http://localhost', {
    createConnection: () => connectSocket(String(address)),
    settings: { initialWindowSize: WINDOW },
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  session.once('connect', () => resolve())
  session.once('error', reject)
  await promise
  session.off('error', reject)
  return session
}

const LENGTH_PREFIX = 5

/** One unary call; the message of an answer that is whole and has status 0. */
const call = async (session: ClientHttp2Session, request: Buffer): Promise<Buffer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const stream = session.request(HEADERS)
  let received: Buffer | undefined
  let status: unknown
  let grpcStatus: unknown
  stream.on('response', (headers) => {
    status = headers[HTTP2_HEADER_STATUS]
    grpcStatus = headers['grpc-status'] // a refusal may come as trailers alone
  })
  stream.on('trailers', (trailers) => {
    grpcStatus = trailers['grpc-status']
  })
  stream.on('data', (chunk: Buffer) => {
    received = received === undefined ? chunk : Buffer.concat([received, chunk])
  })
  stream.on('error', reject)
  stream.on('close', () => {
    if (status !== 200 || grpcStatus !== '0') {
      reject(
        new Error(`wrong answer: HTTP status ${String(status)}, grpc-status ${String(grpcStatus)}`),
      )
    } else if (received === undefined || !isOneMessage(received)) {
      reject(new Error('wrong answer: not one uncompressed gRPC message'))
    } else {
      resolve(received.subarray(LENGTH_PREFIX))
    }
  })
  stream.end(request)
  return await promise
}

const isOneMessage = (bytes: Buffer): boolean =>
  bytes.length >= LENGTH_PREFIX &&
  bytes[0] === 0 &&
  bytes.readUInt32BE(1) === bytes.length - LENGTH_PREFIX

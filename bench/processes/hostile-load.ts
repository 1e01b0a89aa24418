// Unauthenticated clients, over HTTP/2 through Envoy: they send on schedule whatever they are given, or
// begin and do not continue.

import { readFileSync } from 'node:fs'
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { z } from 'zod'
import {
  BY_ENVOY,
  hostileQuestionSchema,
  type HostileAnswers,
  type HostileRequest,
} from '../hostile/question.ts'
import { answerQuestions } from './answer.ts'

// The CA of Envoy's certificate.
const ca = readFileSync(z.string().parse(process.argv[2]))

const SERVER_NAME = 'kube.example.org'
const CONNECTIONS = 4
// More than Envoy takes: that it refuses them is part of what is measured.
const LARGEST_HEADERS = 1_048_576

const dial = (port: number, localAddress: string, protocol: 'h2' | 'http/1.1'): TLSSocket =>
  connectTls({
    socket: connectTcp({ host: '127.0.0.1', port, localAddress }),
    ca,
    servername: SERVER_NAME,
    ALPNProtocols: [protocol],
  })

/** The sessions of one run; one that Envoy has ended is replaced. */
class Sessions implements Disposable {
  readonly #port: number
  readonly #from: string
  readonly #sessions: (ClientHttp2Session | undefined)[] = []

  constructor(port: number, from: string) {
    this.#port = port
    this.#from = from
  }

  /** One of them, in turn. */
  of(index: number): ClientHttp2Session {
    const place = index % CONNECTIONS
    const known = this.#sessions[place]
    if (known !== undefined && !known.closed && !known.destroyed) return known
    const session = connect(`https://127.0.0.1:${this.#port}`, {
      createConnection: () => dial(this.#port, this.#from, 'h2'),
      maxSendHeaderBlockLength: LARGEST_HEADERS,
    })
    session.on('error', () => session.destroy())
    this.#sessions[place] = session
    return session
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session?.destroy()
  }
}

// In answers of authz, and in those of whatever Envoy forwards to, the issuer among it.
const MARKS = ['x-countersign-decision', 'x-envoy-upstream-service-time']

const statusOf = (headers: IncomingHttpHeaders): string => {
  const status = String(headers[constants.HTTP2_HEADER_STATUS])
  return MARKS.some((name) => name in headers) ? status : `${BY_ENVOY} ${status}`
}

/** Sends a request; returns the status, or how it failed. */
const send = async (
  session: ClientHttp2Session,
  { headers, body }: HostileRequest,
): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>()
  try {
    const stream = session.request(headers, { endStream: body === undefined })
    stream.on('response', (answer) => resolve(statusOf(answer)))
    stream.on('error', () => resolve('reset'))
    stream.on('close', () => resolve('reset'))
    stream.resume()
    if (body !== undefined) stream.end(body)
  } catch {
    resolve('reset')
  }
  return await promise
}

/** Sends so many requests on schedule, whether or not those before have been answered. */
const run = async (
  port: number,
  from: string,
  requests: readonly HostileRequest[],
  perSecond: number,
): Promise<HostileAnswers> => {
  using sessions = new Sessions(port, from)
  const answers: Record<string, number> = {}
  const started = performance.now()
  const sendOnTime = async (request: HostileRequest, index: number): Promise<void> => {
    await sleep(Math.max(0, started + (index * 1_000) / perSecond - performance.now()))
    const status = await send(sessions.of(index), request)
    answers[status] = (answers[status] ?? 0) + 1
  }
  await Promise.all(requests.map(sendOnTime))
  return answers
}

const held: TLSSocket[] = []

/** Opens so many connections, each with the bytes of a request that does not continue. */
const hold = async (port: number, from: string, count: number, bytes: Buffer): Promise<void> => {
  const open = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const socket = dial(port, from, 'http/1.1')
    socket.on('error', () => resolve())
    socket.on('secureConnect', () => {
      if (bytes.length > 0) socket.write(bytes)
      resolve()
    })
    socket.resume()
    held.push(socket)
    await promise
  }
  await Promise.all(Array.from({ length: count }, open))
}

/** Ends what is held; how many connections were still open. */
const release = (): HostileAnswers => {
  const open = held.filter(({ readyState }) => readyState === 'open').length
  const closed = held.length - open
  for (const socket of held.splice(0)) socket.destroy()
  return { open, closed }
}

answerQuestions(async (message) => {
  const question = hostileQuestionSchema.parse(message)
  switch (question.do) {
    case 'run':
      return await run(question.port, question.from, question.requests, question.perSecond)
    case 'hold':
      return await hold(question.port, question.from, question.count, Buffer.from(question.bytes))
    case 'release':
      return release()
  }
})

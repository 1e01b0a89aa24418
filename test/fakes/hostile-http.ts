// An HTTP server that misbehaves below the level of answers: it hangs, dribbles, never ends, resets, or
// speaks something else. In between it can be honest, so that a test sees whether its client recovered.

import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'

/** One way to misbehave. */
export interface Misbehaviour {
  readonly name: string
  /** Called with the first bytes of a request; what the server has sent by then is nothing. */
  readonly answer: (socket: Socket) => void
  /** Whether HTTP has an answer here, which is for the caller to refuse. */
  readonly isAnswer?: boolean
  /** What the client must say, where it must not merely wait for its deadline. */
  readonly reason?: RegExp
}

/** A running server. */
export interface HostileHttp extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  readonly port: number
  /** What it does with connections from now on; `undefined`: it is honest. */
  misbehaviour: Misbehaviour | undefined
  /** Bytes that it could send so far, with what lies in the buffers of the kernel. */
  readonly sent: number
  /** Resolves when no connection is open. */
  idle(): Promise<void>
}

const DRIBBLE_MS = 5

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const CHUNKED = `${HEAD}transfer-encoding: chunked\r\n\r\n`
const withLength = (length: number | string): string => `${HEAD}content-length: ${length}\r\n\r\n`

/** Writes the same block again and again, as fast as it is taken. */
const endless =
  (start: string, block: string) =>
  (socket: Socket): void => {
    const bytes = Buffer.from(block.repeat(Math.ceil(65_536 / block.length)))
    const more = (): void => {
      while (socket.writable) {
        if (socket.write(bytes)) continue
        socket.once('drain', more)
        return
      }
    }
    socket.write(start)
    more()
  }

/** Writes a text one byte after the other, again and again. */
const dribble =
  (start: string, text: string) =>
  (socket: Socket): void => {
    let at = 0
    socket.write(start)
    const timer = setInterval(() => {
      socket.write(text.charAt(at % text.length))
      at += 1
    }, DRIBBLE_MS)
    socket.once('close', () => clearInterval(timer))
  }

const once =
  (answer: string | Buffer) =>
  (socket: Socket): void => {
    socket.write(answer)
  }

const andEnd =
  (answer: string) =>
  (socket: Socket): void => {
    socket.end(answer)
  }

const andReset =
  (answer: string) =>
  (socket: Socket): void => {
    socket.write(answer, () => socket.resetAndDestroy())
  }

const BOMB = gzipSync(Buffer.alloc(50_000_000))
const DEEP = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`

/** All the ways. */
export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { name: 'never answers', answer: () => {} },
  { name: 'ends without an answer', answer: andEnd('') },
  { name: 'resets at once', answer: andReset('') },
  { name: 'resets in the headers', answer: andReset(HEAD) },
  { name: 'resets in the body', answer: andReset(`${withLength(100)}{"a":`) },
  { name: 'ends in the headers', answer: andEnd(HEAD) },
  { name: 'ends in the body', answer: andEnd(`${withLength(100)}{"a":`) },
  { name: 'ends in a chunk', answer: andEnd(`${CHUNKED}64\r\n{"a":`) },
  { name: 'dribbles a status line', answer: dribble('', HEAD) },
  { name: 'dribbles headers without end', answer: dribble(HEAD, 'a: b\r\n') },
  { name: 'dribbles a body', answer: dribble(withLength(1_000_000), ' ') },
  { name: 'dribbles chunks', answer: dribble(CHUNKED, '1\r\n \r\n') },
  { name: 'sends headers without end', answer: endless(HEAD, 'a: b\r\n') },
  { name: 'sends one header without end', answer: endless(`${HEAD}a: `, 'a') },
  { name: 'sends a status line without end', answer: endless('HTTP/1.1 200 ', 'a') },
  {
    name: 'sends interim answers without end',
    answer: endless('', 'HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n'),
    reason: /more than 16 interim answers/,
  },
  {
    name: 'switches protocols',
    answer: once(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n{}',
    ),
    reason: /ended without an answer/,
  },
  { name: 'sends a body without end', answer: endless(`${HEAD}\r\n`, ' ') },
  { name: 'sends chunks without end', answer: endless(CHUNKED, `400\r\n${' '.repeat(1_024)}\r\n`) },
  {
    name: 'sends chunks of one byte',
    answer: endless(CHUNKED, '1\r\n \r\n'),
    reason: /more than 1024 chunks, of less than 64 bytes/,
  },
  { name: 'sends a chunk extension without end', answer: endless(`${CHUNKED}1;`, 'a') },
  { name: 'sends trailers without end', answer: endless(`${CHUNKED}0\r\n`, 'a: b\r\n') },
  { name: 'sends a chunk of no size', answer: once(`${CHUNKED}x\r\n{}\r\n0\r\n\r\n`) },
  { name: 'promises gigabytes and sends nothing', answer: once(withLength(9_000_000_000)) },
  { name: 'promises more than there are numbers', answer: once(withLength('9'.repeat(30))) },
  { name: 'promises less than nothing', answer: once(withLength(-1)) },
  {
    name: 'sends two lengths',
    answer: once(`${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `),
  },
  {
    name: 'sends a length and chunks',
    answer: once(`${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`),
  },
  {
    name: 'sends a gzip bomb',
    answer: (socket) => {
      socket.write(`${HEAD}content-encoding: gzip\r\ncontent-length: ${BOMB.length}\r\n\r\n`)
      socket.write(BOMB)
    },
    reason: /sent content-encoding gzip, which was not accepted/,
  },
  {
    name: 'sends a gzip bomb as a transfer coding',
    answer: (socket) => {
      socket.write(`${HEAD}transfer-encoding: gzip\r\n\r\n`)
      socket.end(BOMB)
    },
    isAnswer: true,
  },
  { name: 'speaks something else', answer: andEnd('220 mail.example.org ESMTP\r\n') },
  { name: 'speaks HTTP/2', answer: once(Buffer.from('000000040000000000', 'hex')) },
  { name: 'speaks TLS', answer: once(Buffer.from('15030300020228', 'hex')) },
  { name: 'puts a line into a header', answer: once(`${HEAD}a: b\rc: d\r\n\r\n{}`) },
  {
    name: 'redirects',
    answer: andEnd(
      'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
    ),
    isAnswer: true,
  },
  {
    name: 'sends a web page',
    answer: andEnd('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>'),
    isAnswer: true,
  },
  { name: 'sends nothing', answer: andEnd(withLength(0)), isAnswer: true },
  { name: 'sends no object', answer: andEnd(`${withLength(4)}null`), isAnswer: true },
  {
    name: 'sends a value of great depth',
    answer: andEnd(`${withLength(DEEP.length)}${DEEP}`),
    isAnswer: true,
  },
]

/** Starts one. @param honest what it answers while it is honest */
export const startHostileHttp = async (honest: RequestListener): Promise<HostileHttp> => {
  const open = new Set<Socket>()
  const http = createHttpServer(honest)
  let closed = 0
  let emptied = Promise.withResolvers<void>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {}) // that the client gives up is what is tested
    socket.once('close', () => {
      open.delete(socket)
      closed += socket.bytesWritten
      if (open.size > 0) return
      emptied.resolve()
      emptied = Promise.withResolvers()
    })
    const { misbehaviour } = running
    if (misbehaviour === undefined) http.emit('connection', socket)
    else socket.once('data', () => misbehaviour.answer(socket)).resume()
  })
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await listening
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a TCP server it is one
  const { port } = server.address() as AddressInfo
  const running = {
    origin: `http://127.0.0.1:${port}`,
    port,
    misbehaviour: undefined as Misbehaviour | undefined,
    get sent() {
      return [...open].reduce((sum, { bytesWritten }) => sum + bytesWritten, closed)
    },
    async idle() {
      if (open.size > 0) await emptied.promise
    },
    async [Symbol.asyncDispose]() {
      const { promise, resolve: stopped } = Promise.withResolvers<void>()
      server.close(() => stopped())
      for (const socket of open) socket.destroy()
      await promise
    },
  }
  return running
}

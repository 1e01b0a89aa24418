// Load on Envoy: keep-alive connections over TLS, HTTP/1.1 written and read by hand, since Node's
// own client costs several times what Envoy does. One request at a time on each connection.

import { readFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import { z } from 'zod'
import type { Expectation } from '../expectation.ts'
import { HEADERS_ROUTE } from '../site.ts'
import { generateLoad } from '../load/generate.ts'

// The CA of Envoy's certificate.
const ca = readFileSync(z.string().parse(process.argv[2]))

generateLoad(async (addresses, connections, exchanges) => {
  const idle = await Promise.all(
    addresses.flatMap((address) =>
      Array.from({ length: connections }, () => Connection.open(address)),
    ),
  )
  const prepared = exchanges.map(({ bytes, expectation }) => ({
    bytes,
    expected: expectedLines(expectation),
  }))
  const send = async (index: number): Promise<void> => {
    const exchange = prepared[index % prepared.length]
    const connection = idle.pop()
    if (exchange === undefined || connection === undefined) throw new Error('no idle connection')
    const head = await connection.exchange(exchange.bytes)
    idle.push(connection)
    if (
      head.startsWith('HTTP/1.1 200 ') &&
      exchange.expected.every((line) => head.includes(line))
    ) {
      return
    }
    throw new Error(
      `wrong answer: ${JSON.stringify(head)} lacks ${JSON.stringify(exchange.expected)}`,
    )
  }
  return (index, done) => {
    void (async () => {
      try {
        await send(index)
      } catch (cause) {
        done(cause instanceof Error ? cause : new Error(String(cause)))
        return
      }
      done()
    })()
  }
})

/** What the upstream, which tells what it saw, must say. */
const expectedLines = (expectation: Expectation): readonly string[] => {
  if (expectation.outcome === 'deny') throw new Error('refusals end at Envoy')
  if (expectation.outcome === 'certificate') return certificateLines(expectation)
  const { user, groups } = expectation
  return [
    `\r\nx-saw-user: ${user ?? ''}\r\n`,
    `\r\nx-saw-groups: ${groups.join('|')}\r\n`,
    // A transformer that sets an identity also removes the credential.
    `\r\nx-saw-credential: ${user === undefined ? 'yes' : 'no'}\r\n`,
  ]
}

const certificateLines = ({
  user,
  groups,
}: Extract<Expectation, { outcome: 'certificate' }>): readonly string[] => [
  `\r\nx-saw-certificate: ${[`CN=${user}`, ...groups.map((group) => `O=${group}`)].join('|')}\r\n`,
  '\r\nx-saw-user: \r\n',
  '\r\nx-saw-credential: no\r\n',
]

const END_OF_HEAD = '\r\n\r\n'

class Connection {
  readonly #socket: TLSSocket
  #received = ''
  #waiting: PromiseWithResolvers<string> | undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#deliver()
    })
    socket.on('error', (cause) => this.#waiting?.reject(cause))
    socket.on('close', () => this.#waiting?.reject(new Error('wrong answer: connection closed')))
  }

  static async open(address: string | number): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect({
      host: '127.0.0.1',
      port: Number(address),
      servername: HEADERS_ROUTE.host,
      ca,
      ALPNProtocols: ['http/1.1'],
    })
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
    await promise
    socket.off('error', reject)
    return new Connection(socket.setNoDelay())
  }

  /** Sends a request; the head of a complete answer, with the empty line. */
  exchange(request: Buffer): Promise<string> {
    this.#waiting = Promise.withResolvers<string>()
    this.#socket.write(request)
    return this.#waiting.promise
  }

  #deliver(): void {
    const end = this.#received.indexOf(END_OF_HEAD)
    if (end === -1) return
    const head = this.#received.slice(0, end + END_OF_HEAD.length)
    const length = /\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1]
    if (length === undefined) {
      this.#waiting?.reject(new Error(`wrong answer: no length in ${JSON.stringify(head)}`))
    } else if (this.#received.length >= head.length + Number(length)) {
      this.#received = this.#received.slice(head.length + Number(length))
      this.#waiting?.resolve(head)
    }
  }
}

// Clients that open connections to an HTTP server and stay idle.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ListenAddress } from '../../src/runtime/listen.ts'

/** What a client sends before it leaves its connection alone. */
interface Quiet {
  readonly sent: string
  /** Whether an answer comes, which it then waits for. */
  readonly isAnswered?: true
}

/** Ways of holding a connection, by name. */
export const QUIET: Readonly<Record<string, Quiet>> = {
  nothing: { sent: '' },
  'half a request line': { sent: 'GET /liv' },
  'half of the headers': { sent: 'GET /livez HTTP/1.1\r\nHost: a\r\nX-' },
  'a request, and keep the connection': {
    sent: 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n',
    isAnswered: true,
  },
}

/** Connections that are opened and stay idle; some may be closed by the server meanwhile. */
export class QuietClients implements Disposable {
  readonly #sockets: Socket[] = []
  readonly #open: () => Socket

  constructor(open: () => Socket) {
    this.#open = open
  }

  /** Opens so many more, and sends that on each. */
  async add(count: number, { sent, isAnswered }: Quiet): Promise<void> {
    const added = Array.from({ length: count }, async () => {
      const socket = this.#open()
      socket.on('error', () => socket.destroy())
      this.#sockets.push(socket)
      const closed = once(socket, 'close')
      await Promise.race([once(socket, 'connect'), closed])
      if (sent !== '') socket.write(sent)
      if (isAnswered) await Promise.race([once(socket, 'data'), closed])
    })
    await Promise.all(added)
  }

  /** Of all that were opened, how many the server has not closed. */
  get left(): number {
    return this.#sockets.filter(({ destroyed }) => !destroyed).length
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** Clients of a server without TLS. */
export const quietClients = (address: ListenAddress): QuietClients =>
  new QuietClients(() =>
    address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host),
  )

// A proxy between a client and a server that makes the network bad: slow, silent, cut, or refused. It also
// counts connections, and keeps what the client has sent.

import { connect, createServer, type Server, type Socket } from 'node:net'

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Connections that are open now. */
  readonly open: number
  /** The most that were open at a time. */
  readonly most: number
  /** All that there have been. */
  readonly total: number
  /** What clients have sent, one buffer for each connection. */
  readonly received: readonly Buffer[]
  /** From now on each piece waits so long, in milliseconds, in either direction. */
  delay: number
  /** While true, connections are accepted and nothing goes through any of them. */
  silent: boolean
  /** Resets the connections that are open. */
  cut(): void
  /** Resets connections and refuses new ones. */
  refuse(): Promise<void>
  /** Accepts again, on the same port. */
  accept(): Promise<void>
}

/** Starts a proxy on a free port of the loopback interface. */
export const startTcpProxy = async (target: {
  readonly host?: string
  readonly port: number
}): Promise<TcpProxy> => {
  const pairs = new Set<readonly [Socket, Socket]>()
  const received: Buffer[][] = []
  const state = { delay: 0, silent: false, most: 0, total: 0 }
  const pipe = (from: Socket, to: Socket, seen: Buffer[] | undefined): void => {
    let last = Promise.resolve()
    const inOrder = (work: () => void): void => {
      last = delayed(last, state, work)
    }
    from.on('data', (chunk: Buffer) => {
      seen?.push(chunk)
      if (!state.silent) inOrder(() => to.write(chunk))
    })
    from.on('end', () => inOrder(() => to.end()))
  }
  const onConnection = (client: Socket): void => {
    const server = connect({ host: '127.0.0.1', noDelay: true, ...target })
    const pair = [client, server] as const
    const seen: Buffer[] = []
    received.push(seen)
    pairs.add(pair)
    state.total += 1
    state.most = Math.max(state.most, pairs.size)
    pipe(client, server, seen)
    pipe(server, client, undefined)
    for (const [socket, other] of [pair, [server, client] as const]) {
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        pairs.delete(pair)
        other.destroySoon()
      })
    }
  }
  const cut = (): void => {
    for (const [client, server] of pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }
  let listener = await listen(0, onConnection)
  const port = portOf(listener)
  const refuse = async (): Promise<void> => {
    const closed = new Promise((resolve) => listener.close(resolve))
    cut()
    await closed
  }
  return {
    port,
    get open() {
      return pairs.size
    },
    get most() {
      return state.most
    },
    get total() {
      return state.total
    },
    get received() {
      return received.map((chunks) => Buffer.concat(chunks))
    },
    get delay() {
      return state.delay
    },
    set delay(milliseconds) {
      state.delay = milliseconds
    },
    get silent() {
      return state.silent
    },
    set silent(silent) {
      state.silent = silent
    },
    cut,
    refuse,
    accept: async () => {
      listener = await listen(port, onConnection)
    },
    [Symbol.asyncDispose]: refuse,
  }
}

const delayed = async (
  before: Promise<void>,
  state: { readonly delay: number },
  work: () => void,
): Promise<void> => {
  await before
  if (state.delay > 0) await new Promise((resolve) => setTimeout(resolve, state.delay))
  work()
}

const listen = async (port: number, onConnection: (client: Socket) => void): Promise<Server> => {
  const server = createServer({ noDelay: true }, onConnection)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}

const portOf = (server: Server): number => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy is not bound')
  return address.port
}

// One connection to a Redis server, by the library that only this file imports. It ends at the first failure: it does
// not reconnect, and sends nothing a second time.

import { CountersignError, describeError } from '../../runtime/errors.ts'

/** The address of a server, and the credentials. Times in milliseconds. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: RedisTls | undefined
  /** For connecting, until the first command can be sent. */
  readonly connectTimeout: number
  /** For one command. */
  readonly timeout: number
}

/** The trusted CAs of the server, and the client certificate: PEM. */
export interface RedisTls {
  /** Default: the CAs that Node knows. */
  readonly ca: Buffer | undefined
  /** The name in its certificate. Default: the host. */
  readonly serverName: string | undefined
  readonly client: { readonly certificate: Buffer; readonly key: Buffer } | undefined
}

/** The server's reply: a value, or an error. */
export type Reply =
  | { readonly outcome: 'done'; readonly value: unknown }
  | { readonly outcome: 'refused'; readonly message: string }

/** One connection. */
export interface RedisClient extends Disposable {
  /** Sends one command. Rejects when there is no reply in time, or no connection. */
  send(command: readonly string[]): Promise<Reply>
}

/**
 * Connects and authenticates.
 *
 * @param onEnd called once, when the connection has ended by itself
 * @throws the error of the network or the server, within `connectTimeout`
 */
export const connectClient = async (
  server: RedisServer,
  onEnd: (cause: unknown) => void,
): Promise<RedisClient> => {
  // Imported here only: 30 MB, which a process without Redis saves. Of CommonJS, an import of the bundle has the default alone.
  const {
    default: { createClient, ErrorReply },
  } = await import('redis')
  const { username, password, database, connectTimeout, timeout } = server
  const client = createClient({
    socket: { ...socketOf(server), connectTimeout, reconnectStrategy: false },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 }, // it would not cover the reply
    maintNotifications: 'disabled',
    disableClientInfo: true,
    RESP: 2,
  })
  let isOpen = false
  client.on('error', (cause: unknown) => {
    if (isOpen) onEnd(cause)
    isOpen = false
  })
  try {
    await within(connectTimeout, client.connect())
  } catch (cause) {
    client.destroy()
    throw cause
  }
  isOpen = true
  return {
    async send(command) {
      try {
        const value: unknown = await within(timeout, client.sendCommand([...command]))
        return { outcome: 'done', value }
      } catch (cause) {
        if (cause instanceof ErrorReply) return { outcome: 'refused', message: cause.message }
        throw cause
      }
    },
    [Symbol.dispose]() {
      isOpen = false
      client.destroy()
    },
  }
}

const socketOf = ({ host, port, tls }: RedisServer) => {
  if (tls === undefined) return { host, port }
  const { ca, serverName, client } = tls
  return {
    tls: true,
    host,
    port,
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { servername: serverName }),
    ...(client !== undefined && { cert: client.certificate, key: client.key }),
  } as const
}

const within = async <T>(milliseconds: number, work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new CountersignError('unavailable', `no answer within ${milliseconds} ms`))
  }, milliseconds)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Why there is no connection, for operators. */
export const describeFailure = (cause: unknown): string => {
  // Node's error for a name with several addresses has no message of its own.
  if (!(cause instanceof AggregateError)) return describeError(cause)
  return [cause.message, ...cause.errors.map(describeError)]
    .filter((text) => text !== '')
    .join('; ')
}

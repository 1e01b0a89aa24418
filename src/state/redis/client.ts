// One connection to a Redis server, by the library that only this file imports. It ends at the first failure: it does
// not reconnect, and sends nothing a second time.

import { CountersignError, describeError } from '../../runtime/errors.ts'
import { formatAddress, isLoopback } from '../../config/values.ts'
import type { Login, RedisNode } from './address.ts'
import { readLogin, type LoginSource } from './login.ts'

/** How a server is reached, whatever its address. Times in milliseconds. */
export interface RedisAccess {
  readonly login: LoginSource
  readonly database: number
  readonly tls: RedisTls | undefined
  /** Without TLS, servers that are not on this machine are accepted too. */
  readonly plaintext: boolean
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
  /** With which it has logged in. */
  login: Login
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
  node: RedisNode,
  access: RedisAccess,
  onEnd: (cause: unknown) => void,
): Promise<RedisClient> => {
  refusePlaintext(node, access)
  // Imported here only: 30 MB, which a process without Redis saves. Of CommonJS, an import of the bundle has the default alone.
  const {
    default: { createClient, ErrorReply },
  } = await import('redis')
  const { login, database, connectTimeout, timeout } = access
  const used = await readLogin(login)
  const { username, password } = used
  const client = createClient({
    socket: { ...socketOf(node, access), connectTimeout, reconnectStrategy: false },
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
    login: used,
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

/** Sentinels and clusters name further servers, which no check of the configuration has seen. */
const refusePlaintext = (node: RedisNode, { tls, plaintext }: RedisAccess): void => {
  if (tls !== undefined || plaintext || isLoopback({ kind: 'tcp', ...node })) return
  const address = formatAddress({ kind: 'tcp', ...node })
  throw new CountersignError(
    'configuration-invalid',
    `${address} is not on this machine: the password would cross the network in the clear. Use "rediss:", or "plaintext: true"`,
  )
}

const socketOf = ({ host, port }: RedisNode, { tls }: RedisAccess) => {
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

// Opens connections: TCP, StartTLS where it is configured, and TLS with the server's name checked.

import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { UNMEASURED, type ServerDurations } from '../../runtime/request-durations.ts'
import { describeError } from '../../runtime/errors.ts'
import { LdapConnection, type OperationLimits } from './connection.ts'
import { DirectoryError } from './failure.ts'
import type { DirectorySettings } from './schema.ts'
import type { ServerAddress } from './server-url.ts'

/** How the servers prove themselves, and this process to them. */
type TlsSettings = Pick<DirectorySettings, 'startTls' | 'ca' | 'serverName' | 'client'>

/**
 * Opens a connection that is not bound. The limit covers all of it.
 *
 * @throws DirectoryError `unreachable` or `tls`; the signal's reason when it aborts
 */
export const dial = async (
  server: ServerAddress,
  tls: TlsSettings,
  limits: OperationLimits,
  durations: ServerDurations = UNMEASURED,
): Promise<LdapConnection> =>
  await durations.measure('connect', () => dialNow(server, tls, limits, durations), limits)

const dialNow = async (
  server: ServerAddress,
  tls: TlsSettings,
  limits: OperationLimits,
  durations: ServerDurations,
): Promise<LdapConnection> => {
  limits.signal.throwIfAborted()
  const late = new AbortController()
  const timer = setTimeout(() => {
    const message = `${server.url} could not be connected within ${limits.limit} ms`
    late.abort(new DirectoryError('unreachable', message))
  }, limits.limit)
  const within = { ...limits, signal: AbortSignal.any([limits.signal, late.signal]) }
  try {
    const raw = await openTcp(server, within.signal)
    if (!server.ldaps && !tls.startTls) return new LdapConnection(raw, server.url, durations)
    const plain = server.ldaps ? raw : await new LdapConnection(raw, server.url).startTls(within)
    const secured = await openTls(plain, server, tls, within.signal)
    return new LdapConnection(secured, server.url, durations)
  } finally {
    clearTimeout(timer)
  }
}

const KEEP_ALIVE = 30_000

const openTcp = async (server: ServerAddress, signal: AbortSignal): Promise<Socket> => {
  const { host, port } = server
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE,
  })
  return await opened(socket, 'connect', signal, (cause) => {
    const message = `${server.url} cannot be reached: ${describeError(cause)}`
    return new DirectoryError('unreachable', message, { cause })
  })
}

const openTls = async (
  socket: Socket,
  server: ServerAddress,
  { ca, serverName, client }: TlsSettings,
  signal: AbortSignal,
): Promise<TLSSocket> => {
  const name = serverName ?? server.host
  const secured = connectTls({
    socket,
    // What the certificate is checked against. An address cannot be sent as SNI (RFC 6066 §3).
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca: ca.bytes() }),
    ...(client === undefined ? {} : { cert: client.certificate.bytes(), key: client.key.bytes() }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  })
  return await opened(secured, 'secureConnect', signal, (cause) => {
    const message = `${server.url} cannot be trusted: ${describeError(cause)}`
    return new DirectoryError('tls', message, { cause })
  })
}

const opened = async <T extends Socket>(
  socket: T,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
  failure: (cause: unknown) => DirectoryError,
): Promise<T> => {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onOpen = (): void => resolve(socket)
  const onClose = (): void => reject(failure(new Error('the server closed the connection')))
  const onError = (cause: unknown): void => reject(failure(cause))
  const onAbort = (): void => reject(signal.reason)
  socket.once(event, onOpen).once('close', onClose).on('error', onError)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) onAbort()
    return await promise
  } catch (cause) {
    // The listener for errors stays: a second one would end the process.
    socket.destroy()
    throw cause
  } finally {
    socket.off(event, onOpen).off('close', onClose)
    signal.removeEventListener('abort', onAbort)
  }
}

// From the options of one server to the server: over which transport it is reached, and with which secret.

import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { formatAddress } from '../../config/values.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RequestContent } from './packet.ts'
import {
  SERVER_DEFAULTS,
  type RadiusServerOptions,
  type RadiusTls,
  type RetryOptions,
} from './options.ts'
import { SharedSecret } from './secret.ts'
import { Server, type ServerOptions } from './server.ts'
import { tlsTransport } from './tls.ts'
import { udpTransport } from './udp.ts'

/** What every server of a verifier uses. */
export interface ServerResources {
  /** A Status-Server request. */
  readonly status: RequestContent
  readonly clock: Clock
  readonly logger: Logger
}

// As many requests as fit into the identifiers of four sockets (RFC 2865 §3: 256 each).
const UDP_SOCKETS = 4
const IDENTIFIERS = 256

/** Makes a server; nothing is sent or opened yet. */
export const connectServer = (
  server: RadiusServerOptions,
  settings: RetryOptions,
  { status, clock, logger }: ServerResources,
): Server => {
  const { retransmitAfter, retries, coolDown, statusServer } = settings
  return new Server({
    ...wayTo(server),
    interval: retransmitAfter,
    retries,
    coolDown,
    status: statusServer ? status : undefined,
    random: Math.random,
    clock,
    logger,
  })
}

const wayTo = (
  server: RadiusServerOptions,
): Pick<ServerOptions, 'name' | 'open' | 'secret' | 'secure' | 'connections' | 'depth'> => {
  const { host } = server
  const { tlsConnections, tlsPipelining, tlsPort, tlsSecret, udpPort } = SERVER_DEFAULTS
  const port = server.port ?? (server.tls === undefined ? udpPort : tlsPort)
  const name = formatAddress({ kind: 'tcp', host, port })
  if (server.tls === undefined) {
    return {
      name,
      open: udpTransport({ host, port }),
      secret: server.secret,
      secure: false,
      connections: UDP_SOCKETS,
      depth: IDENTIFIERS,
    }
  }
  const { secret = new SharedSecret(tlsSecret), tls } = server
  const { serverName = host, connections = tlsConnections, pipelining = tlsPipelining } = tls
  const open = tlsTransport({ host, port, context: contextOf(name, tls), serverName })
  return { name, open, secret, secure: true, connections, depth: pipelining }
}

const contextOf = (name: string, { ca, client }: RadiusTls): SecureContext => {
  try {
    void new X509Certificate(ca) // createSecureContext takes what is none for no CA at all
    return createSecureContext({
      ca,
      minVersion: 'TLSv1.2',
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    })
  } catch (cause) {
    const message = `the TLS material for ${name} cannot be used: ${describeError(cause)}`
    throw new CountersignError('configuration-invalid', message, { cause })
  }
}

// From the settings of one server to the server: over which transport it is reached, and with which secret.

import { createSecureContext, type SecureContext } from 'node:tls'
import { formatAddress } from '../../config/values.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RequestDurations } from '../../runtime/request-durations.ts'
import type { RequestContent } from './packet.ts'
import type { RadiusClientSettings, RadiusServerSettings } from './schema.ts'
import { SharedSecret } from './secret.ts'
import { Server, type ServerOptions } from './server.ts'
import { tlsTransport } from './tls.ts'
import type { RadiusTuning } from './tuning.ts'
import { udpTransport } from './udp.ts'

/** What every server of a verifier uses. */
export interface ServerResources {
  /** A Status-Server request. */
  readonly status: RequestContent
  readonly tuning: RadiusTuning
  /** Measures the requests. */
  readonly durations?: RequestDurations | undefined
  readonly clock: Clock
  readonly logger: Logger
}

// As many requests as fit into the identifiers of four sockets (RFC 2865 §3: 256 each).
const UDP_SOCKETS = 4
const IDENTIFIERS = 256

const UDP_PORT = 1_812 // RFC 2865 §2.4
const TLS_PORT = 2_083 // RFC 6614 §2.1
const TLS_SECRET = 'radsec' // RFC 6614 §2.3

/**
 * Makes a server; nothing is sent or opened yet.
 *
 * @param server whose TLS files have been checked
 * @throws CountersignError `configuration-invalid`: an empty secret
 */
export const connectServer = (
  server: RadiusServerSettings,
  settings: Pick<RadiusClientSettings, 'retries' | 'statusServer' | 'messageAuthenticator'>,
  { status, tuning, durations, clock, logger }: ServerResources,
): Server => {
  const { retransmitAfter: interval, coolDown } = tuning
  const { retries, statusServer, messageAuthenticator } = settings
  const way = wayTo(server, tuning)
  return new Server({
    ...way,
    durations: durations?.of('radius', way.name),
    signed: server.tls === undefined && messageAuthenticator === 'require',
    interval,
    retries,
    coolDown,
    status: statusServer ? status : undefined,
    random: Math.random,
    clock,
    logger,
  })
}

const wayTo = (
  { host, port: chosen, secret, tls }: RadiusServerSettings,
  { tlsConnections, tlsPipelining }: RadiusTuning,
): Pick<ServerOptions, 'name' | 'open' | 'secret' | 'secure' | 'connections' | 'depth'> => {
  const port = chosen ?? (tls === undefined ? UDP_PORT : TLS_PORT)
  const name = formatAddress({ kind: 'tcp', host, port })
  const bytes = secret?.bytes() ?? Buffer.from(TLS_SECRET)
  if (bytes.length === 0) {
    const message = `the secret for ${name} is empty: any host could answer with it`
    throw new CountersignError('configuration-invalid', message)
  }
  const shared = new SharedSecret(bytes)
  if (tls === undefined) {
    return {
      name,
      open: udpTransport({ host, port }),
      secret: shared,
      secure: false,
      connections: UDP_SOCKETS,
      depth: IDENTIFIERS,
    }
  }
  return {
    name,
    open: tlsTransport({
      host,
      port,
      context: contextOf(tls),
      serverName: tls.serverName ?? host,
    }),
    secret: shared,
    secure: true,
    connections: tlsConnections,
    depth: tlsPipelining,
  }
}

const contextOf = ({ ca, client }: NonNullable<RadiusServerSettings['tls']>): SecureContext =>
  createSecureContext({
    ca: ca.bytes(),
    minVersion: 'TLSv1.2',
    ...(client === undefined ? {} : { cert: client.certificate.bytes(), key: client.key.bytes() }),
  })

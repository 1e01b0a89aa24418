// How RADIUS servers are reached: over UDP or TLS, with which secret, and how often a request is sent.

import type { SharedSecret } from './secret.ts'

/** A server reached over UDP, or over TLS. */
export type RadiusServerOptions = UdpServerOptions | TlsServerOptions

/** A server reached over UDP (RFC 2865). Only for networks that nobody else listens on. */
interface UdpServerOptions {
  /** A DNS name or an IP address. */
  readonly host: string
  /** Default: 1812. */
  readonly port?: number | undefined
  /** The longer the better: whoever hears a login can test guesses at it (RFC 2865 §3 asks for 16). */
  readonly secret: SharedSecret
  readonly tls?: undefined
}

/** A server reached over TLS (RFC 6614). */
interface TlsServerOptions {
  /** A DNS name or an IP address. */
  readonly host: string
  /** Default: 2083. */
  readonly port?: number | undefined
  /** Default: `radsec`, which RFC 6614 §2.3 prescribes, since TLS does the protecting. */
  readonly secret?: SharedSecret | undefined
  readonly tls: RadiusTls
}

/** TLS material, PEM. */
export interface RadiusTls {
  /** The CAs of the server's certificate; no others are trusted. */
  readonly ca: string | Buffer
  /** The name or address that the server's certificate must be for. Default: the host. */
  readonly serverName?: string | undefined
  /** Our own certificate with its chain, which nearly every server demands (RFC 6614 §2.3). */
  readonly client?:
    | { readonly certificate: string | Buffer; readonly key: string | Buffer }
    | undefined
  /** How many connections at most, opened as they are needed. Default: 8. */
  readonly connections?: number | undefined
  /**
   * How many requests may be under way on one connection, at most 256. Default: 1, because FreeRADIUS
   * (3.2.1 at least) takes what arrives together for one packet, and hangs up on two. With a server
   * that does better, or is slow, more.
   */
  readonly pipelining?: number | undefined
}

/** When requests are sent again, and for how long a server that does not answer is left alone. */
export interface RetryOptions {
  /** Milliseconds to the first retransmission, doubled each time (RFC 5080 §2.2.1). */
  readonly retransmitAfter: number
  /** How often a request is sent again to one server. */
  readonly retries: number
  /** Milliseconds at most for which a server that does not answer is left alone. */
  readonly coolDown: number
  /** Whether the servers answer Status-Server (RFC 5997). */
  readonly statusServer: boolean
}

/** The values where a server has none. */
export const SERVER_DEFAULTS = {
  udpPort: 1_812, // RFC 2865 §2.4
  tlsPort: 2_083, // RFC 6614 §2.1
  tlsSecret: 'radsec',
  tlsConnections: 8, // FreeRADIUS takes 16 from one client
  tlsPipelining: 1,
} as const

// How requests are timed and bounded: what no configuration changes, and tests do.

/** Times in milliseconds, and numbers that nothing may exceed. */
export interface RadiusTuning {
  /** To the first retransmission, doubled each time (RFC 5080 §2.2.1). */
  readonly retransmitAfter: number
  /**
   * For how long at most the circuit of a server stays open, after which one request tries it.
   * At first it is half a second.
   */
  readonly coolDown: number
  /** Verifications under way at once. */
  readonly concurrency: number
  /** Verifications that wait for that; more are refused. */
  readonly queue: number
  /** TLS connections to one server, opened as they are needed. */
  readonly tlsConnections: number
  /**
   * Requests under way on one TLS connection, at most 256. FreeRADIUS (3.2.1 at least) takes what arrives
   * together for one packet, and closes the connection after two.
   */
  readonly tlsPipelining: number
}

/** The tuning of every configuration. */
export const RADIUS_TUNING: RadiusTuning = {
  // RFC 5080 has 2 s and 5 times, for terminals at which no user waits.
  retransmitAfter: 500,
  coolDown: 10_000,
  concurrency: 256,
  queue: 1_024,
  tlsConnections: 8, // FreeRADIUS accepts 16 from one client
  tlsPipelining: 1,
}

// Everything that a peer could make an HTTP/2 server hold or do, each bounded (RFC 9113 §10.5).

import type { Rate } from '../token-bucket.ts'

/** The bounds of a server. Sizes are octets, times are milliseconds. */
export interface Http2Limits {
  /** Connections at once. One more closes the one that has been without a stream for longest. */
  readonly maxConnections: number
  /**
   * Streams at once on a connection, as announced by SETTINGS_MAX_CONCURRENT_STREAMS. Further ones are
   * refused, and may be tried again elsewhere (REFUSED_STREAM).
   */
  readonly maxStreams: number
  /** The window of a stream for what the peer sends: SETTINGS_INITIAL_WINDOW_SIZE. */
  readonly streamWindow: number
  /** The window of a connection for what the peer sends. */
  readonly connectionWindow: number
  /** SETTINGS_HEADER_TABLE_SIZE: the dynamic table of what the peer sends. */
  readonly headerTableSize: number
  /** SETTINGS_MAX_HEADER_LIST_SIZE. A request with more is reset. */
  readonly maxHeaderListSize: number
  /** A header block as it is sent, over all its frames. More ends the connection. */
  readonly maxHeaderBlockBytes: number
  /** CONTINUATION frames of a block (CVE-2024-27316). More ends the connection. */
  readonly maxContinuations: number
  /** RST_STREAM of the peer (rapid reset, CVE-2023-44487), of one connection. More ends it. */
  readonly resets: Rate
  /**
   * Frames that carry nothing a stream would need, of one connection: PING, SETTINGS, PRIORITY, empty
   * DATA, WINDOW_UPDATE, unknown types, and what refers to streams that are closed. More ends it.
   * Each request gives {@link framesPerRequest} back.
   */
  readonly idleFrames: Rate
  /** How many of {@link idleFrames} a request justifies: a client may update windows for each answer. */
  readonly framesPerRequest: number
  /** Streams of one connection that are reset for a fault of the peer's. More ends it. */
  readonly faults: Rate
  /** For the preface and the first SETTINGS, and before that for the handshake of TLS. */
  readonly prefaceTime: number
  /** For the acknowledgment of the server's SETTINGS (§6.5.3). */
  readonly settingsTime: number
  /** A connection without a stream is closed after so long. */
  readonly idleTime: number
  /** Bytes that wait for a peer to read. With more, nothing is read from the connection. */
  readonly maxOutput: number
  /** A connection whose peer reads nothing of what waits for it is closed after so long. */
  readonly stalledTime: number
  /** How long, and how much, is read after GOAWAY ended a connection, so that the peer gets it. */
  readonly lingerTime: number
  readonly lingerBytes: number
}

/** Bounds for a peer that is Envoy, or a client of health. */
export const DEFAULT_LIMITS: Http2Limits = {
  maxConnections: 2_048, // one for each worker of each Envoy
  maxStreams: 10_000,
  streamWindow: 65_535,
  connectionWindow: 1_048_576,
  headerTableSize: 4_096,
  maxHeaderListSize: 16_384,
  maxHeaderBlockBytes: 16_384,
  maxContinuations: 16,
  resets: { burst: 1_000, perSecond: 100 },
  idleFrames: { burst: 10_000, perSecond: 1_000 },
  framesPerRequest: 10,
  faults: { burst: 1_000, perSecond: 20 },
  prefaceTime: 10_000,
  settingsTime: 20_000,
  idleTime: 7_200_000,
  maxOutput: 262_144,
  stalledTime: 20_000,
  lingerTime: 1_000,
  lingerBytes: 4_194_304,
}

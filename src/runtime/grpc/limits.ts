// Everything that a peer could make a gRPC server hold or do, each bounded.

import { DEFAULT_LIMITS, type Http2Limits } from '../http2/limits.ts'
import type { HoldLimits } from './hold-budget.ts'

/** The bounds of a server: those of HTTP/2, and of what gRPC adds. */
export interface GrpcLimits extends Http2Limits {
  /** Octets of a message. */
  readonly maxMessage: number
  /**
   * What all connections hold together of messages that are not complete and of answers that are not
   * taken, in octets, and how long: then the stream that has held for longest is reset.
   */
  readonly held: HoldLimits
  /** Unary calls at once whose handlers wait, also for clients that have disconnected (CVE-2023-44487). */
  readonly maxRunning: number
  /**
   * Streams of messages at once on all connections. One more resets the one that has not been in use for
   * longest, or else has not taken its answers for longest; where there is none, it is refused, and may be
   * tried again elsewhere (REFUSED_STREAM).
   */
  readonly maxMessageStreams: number
}

/** Bounds for ext_authz and health. */
export const UNARY_LIMITS: GrpcLimits = {
  ...DEFAULT_LIMITS,
  // Envoy resets the stream of a check whose client has disconnected, and the checks of all clients share its
  // connection: a client that abandons requests must not end it. A reset costs no more than a request, and
  // what handlers still do for it is bounded by `maxRunning`.
  resets: { burst: 100_000, perSecond: 100_000 },
  maxMessage: 1_048_576, // Envoy's header limits bound a CheckRequest to some 100 KB
  held: { most: 16_777_216, longest: 20_000 },
  maxRunning: 10_000,
  maxMessageStreams: 1_000, // of health
}

/**
 * Bounds for streams that stay open in great numbers.
 *
 * @param maxStreams the most that all peers together have open
 */
export const streamLimits = (maxStreams: number): Partial<GrpcLimits> => ({
  maxMessageStreams: maxStreams,
  maxStreams,
  // Envoy has one connection for all its streams, and opens another when one is full.
  maxConnections: 256,
  // Envoy resets the stream of a secret that it drops, and secrets that were made together end together. CAs
  // issue 200 a second by default.
  resets: { burst: maxStreams, perSecond: 1_000 },
})

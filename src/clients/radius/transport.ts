// What carries packets to a server: a UDP socket or a TLS connection.

import type { RadiusFailure } from './failure.ts'

/** A way to one server, opened on being made. */
export interface Transport {
  /** Only once it has opened. */
  send(bytes: Uint8Array): void
  close(): void
}

/** What happens on a wire. */
export interface TransportEvents {
  opened(): void
  /** What should be one packet. */
  received(bytes: Uint8Array): void
  /** Something sent was turned away; the wire can still be used. */
  refused(failure: RadiusFailure): void
  /** It could not be opened, or is closed. */
  lost(failure: RadiusFailure): void
}

/** Opens a wire; no event comes before it has returned. */
export type OpenTransport = (events: TransportEvents) => Transport

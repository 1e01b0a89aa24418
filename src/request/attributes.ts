// Envoy's attributes of one request, decoded and nothing more: no lower-casing, no normalising,
// no judgement. `request.ts` turns it into the `Request` that the phases see.

import type { HeaderLine } from './header-line.ts'

/** The fields of `AttributeContext` that are used. A field that Envoy left out is empty, never absent. */
export interface CheckAttributes {
  /** IP address in text; empty where the connection is not TCP or UDP. */
  readonly sourceAddress: string
  /** 0 where the connection is not TCP or UDP. */
  readonly sourcePort: number
  /**
   * The caller's leaf certificate, PEM, URL-encoded; empty where none was presented or Envoy runs
   * without `include_peer_certificate`. Envoy does not say whether it was validated.
   */
  readonly peerCertificate: string
  readonly method: string
  /** As received: percent-encoding, dot segments and query included. */
  readonly path: string
  readonly host: string
  /**
   * With `encode_raw_headers` one entry per received line, in order, except that Envoy joins lines
   * of the names it keeps in fixed places, with a comma: `authorization`, `accept` and some more
   * (measured, 1.40.0). Without it lines of every name are joined, the order is arbitrary and
   * bytes that are not UTF-8 have become `!`.
   */
  readonly headers: readonly HeaderLine[]
  /** What the operator wrote under `check_settings` of the route. */
  readonly contextExtensions: ReadonlyMap<string, string>
  /** SNI; empty where there was none or Envoy runs without `include_tls_session`. */
  readonly serverName: string
}

// The answer of one check to Envoy, before it is put on the wire by `codec.ts`. Values must already
// be fit for a header line: nothing below this escapes or checks them.

import type { HeaderPair, RepeatedHeader } from '../../transform/transformer.ts'

/** The answer header that carries the decision id, on refusals and on forwarded answers alike. */
export const DECISION_HEADER = 'x-countersign-decision'

/** Envoy forwards the request with these changes. */
export interface AllowAnswer {
  readonly allow: true
  /** Replace whatever the request has under that name. Of a name given twice the last one counts. */
  readonly setHeaders: readonly HeaderPair[]
  /** Envoy removes after it sets: a name in both lists is lost. */
  readonly removeHeaders: readonly string[]
  /** Replace whatever the upstream's response has. Of a name given twice the last one counts. */
  readonly responseHeaders: readonly HeaderPair[]
  /** For the Lua filter behind ext_authz, which writes one line per value. */
  readonly repeatedHeaders: readonly RepeatedHeader[]
  /** For set_filter_state behind ext_authz: the name of the client certificate for the upstream. */
  readonly upstreamSecret?: string
}

/** Envoy answers the caller itself; nothing is forwarded. */
export interface DenyAnswer {
  readonly allow: false
  /** 1 to 16. Anything else is sent as 7, PERMISSION_DENIED, since 0 would mean allow. */
  readonly grpcStatus: number
  /** 200 to 599. Anything else is sent as 403. */
  readonly httpStatus: number
  /** A name may come several times, as its own line each: `www-authenticate`, `set-cookie`. */
  readonly headers: readonly HeaderPair[]
  readonly body: string
}

/** The two things that a check can end in. */
export type CheckAnswer = AllowAnswer | DenyAnswer

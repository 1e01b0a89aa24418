// The seam of phase 6: one kind of credential for the upstream.

import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { Permit } from '../authorize/evaluate.ts'

/** A header line to be set. */
export type HeaderPair = readonly [name: string, value: string]

/** A header of which the upstream must see one line per value. */
export interface RepeatedHeader {
  readonly name: string
  readonly values: readonly string[]
}

/** What the upstream will see in place of what the caller sent. */
export interface Forwarding {
  /** Headers with exactly one line; they overwrite. */
  readonly setHeaders: readonly HeaderPair[]
  /** Headers with several lines. */
  readonly repeatedHeaders: readonly RepeatedHeader[]
  /** The client certificate that Envoy presents, when the route forwards one. */
  readonly secret?: UpstreamSecret
  /** `jti` of the tokens among the headers (RFC 7519 §4.1.7), for audit. */
  readonly tokenIds?: readonly string[]
}

/** The secret by which Envoy gets the identity's client certificate from the signer. */
interface UpstreamSecret {
  /** Opaque; a sealed grant. */
  readonly name: string
  /** How logs name it: authz's decisions and the signer's issuances alike. */
  readonly digest: string
}

/** What kinds of credential there are for upstreams, as audit names them. */
export type ForwardedKind =
  | 'headers'
  | 'certificate'
  | 'minted-token'
  | 'assertion'
  | 'exchanged-token'
  | 'service-token'
  | 'passthrough'

/** Why a credential could not be made. */
export type TransformFailure =
  | 'header-unrepresentable'
  | 'header-unmapped' // an expression of `set` yields no usable value
  | 'header-reserved'
  | 'headers-too-large'
  | 'token-unmapped' // an expression of the token yields no usable value
  | 'token-reserved'
  | 'token-missing' // the caller has no token to exchange
  | 'exchange-refused' // by the authorization server
  | 'certificate-unrepresentable'
  | 'certificate-reserved'
  | 'certificate-too-large'
  | 'certificate-missing'
  | 'certificate-unreadable'
  | 'credential-expired'

/** The result of a transformer; see {@link Transformer}. */
export type Transformation =
  | { readonly outcome: 'transformed'; readonly forwarding: Forwarding }
  | {
      readonly outcome: 'failed'
      readonly code: TransformFailure
      /** What of it failed, for operators: the place and the reason, never a value. */
      readonly detail?: string
    }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Makes one kind of credential for the upstream.
 *
 * Legal outcomes, and no other:
 * - `transformed`: the credential, whole.
 * - `failed`: this identity cannot be expressed. The request is refused.
 * - `unavailable`: a server that is needed gave no answer, or the credential cannot be made now. The request is refused.
 *
 * It sets no header that is not removed from what the caller sent: by `strip.ts`, or because the
 * configuration names it (`own-headers.ts`).
 */
export interface Transformer {
  readonly kind: ForwardedKind
  /**
   * Whether it needs the caller's credential, or sends a request: neither is possible where the identity is
   * simulated, in policy tests and explanations.
   */
  readonly asks?: true
  transform(permit: Permit, signal: AbortSignal): MaybePromise<Transformation>
}

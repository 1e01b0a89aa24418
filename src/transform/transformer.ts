// The seam of phase 6: one kind of credential for the upstream.

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
}

/** The secret by which Envoy gets the identity's client certificate from the signer. */
interface UpstreamSecret {
  /** Opaque; a sealed grant. */
  readonly name: string
  /** How logs name it: authz's decisions and the signer's issuances alike. */
  readonly digest: string
}

/** Why a credential could not be made. */
export type TransformFailure =
  | 'header-unrepresentable'
  | 'headers-too-large'
  | 'certificate-unrepresentable'
  | 'certificate-reserved'
  | 'certificate-too-large'
  | 'certificate-missing'
  | 'certificate-unreadable'
  | 'credential-expired'

/** What a transformer says; see {@link Transformer}. */
export type Transformation =
  | { readonly outcome: 'transformed'; readonly forwarding: Forwarding }
  | { readonly outcome: 'failed'; readonly code: TransformFailure }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Makes one kind of credential for the upstream.
 *
 * Legal outcomes, and no others:
 * - `transformed`: the credential, whole.
 * - `failed`: this identity cannot be expressed. The request is refused.
 * - `unavailable`: we could not find out or could not make it now. The request is refused.
 *
 * It sets no header that `strip.ts` does not remove from what the caller sent.
 */
export interface Transformer {
  /** The kind, as audit names it. */
  readonly kind: 'headers' | 'certificate'
  transform(permit: Permit, signal: AbortSignal): Transformation | Promise<Transformation>
}

// A grant: one certificate, spelt out by authz to the last byte that authz decides. The signer adds
// the issuer, a serial number, a key and its signature, and nothing else.

import { grantMessage } from '../proto/load.ts'
import type { Extension } from '../x509/extensions.ts'

/** What the signer has to certify. */
export interface Grant {
  /** The signing CA, by its name in `signer.yaml`. */
  readonly authority: string
  /** The route and the authenticator behind the decision, for the log of issuances. */
  readonly route: string
  readonly authenticator: string
  /** DER of a Name (RFC 5280 §4.1.2.4). */
  readonly subject: Buffer
  /** In the order of the certificate. */
  readonly extensions: readonly Extension[]
  /** Seconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** From then on authz requests another certificate; seconds since the epoch. */
  readonly renewAt: number
}

/** The bytes of a grant: equal grants have equal bytes. */
export const encodeGrant = (grant: Grant): Buffer =>
  grantMessage.serialize({
    authority: grant.authority,
    route: grant.route,
    authenticator: grant.authenticator,
    subject: grant.subject,
    extensions: [...grant.extensions],
    not_before: grant.notBefore,
    not_after: grant.notAfter,
    renew_at: grant.renewAt,
  })

/** Reads the bytes of a grant; throws when they are not one. */
export const decodeGrant = (bytes: Buffer): Grant => {
  const message = grantMessage.deserialize(bytes)
  return {
    authority: message.authority,
    route: message.route,
    authenticator: message.authenticator,
    subject: message.subject,
    extensions: message.extensions,
    notBefore: Number(message.not_before),
    notAfter: Number(message.not_after),
    renewAt: Number(message.renew_at),
  }
}

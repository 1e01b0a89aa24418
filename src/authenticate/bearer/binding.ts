// Tokens that only the holder of a key may use (RFC 7800): without the key, a token counts as stolen.

import { createHash } from 'node:crypto'
import type { Claims } from '../../identity/claims.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { decodePem } from '../../x509/pem.ts'

/**
 * Whether the holder of this certificate may use a token with these claims.
 *
 * RFC 8705 §3.1: `x5t#S256` must be the certificate's. Every other confirmation needs a proof that a bearer token
 * lacks (RFC 9449 §7.1: a DPoP-bound token must not be accepted as a bearer token).
 *
 * @param peerCertificate URL-encoded PEM, as Envoy sends it; or empty
 */
export const mayUse = ({ cnf }: Claims, peerCertificate: string): boolean => {
  if (cnf === undefined) return true
  return isJsonObject(cnf) && !('jkt' in cnf) && isOf(cnf, peerCertificate)
}

/**
 * The thumbprint (RFC 7638) of the key that the holder of a token with these claims must prove (RFC 9449 §6.1);
 * `undefined` where it is not bound to a key, or is also bound to another certificate.
 *
 * @param peerCertificate URL-encoded PEM, as Envoy sends it; or empty
 */
export const proofKeyOf = ({ cnf }: Claims, peerCertificate: string): string | undefined => {
  if (!isJsonObject(cnf) || typeof cnf['jkt'] !== 'string') return undefined
  return !('x5t#S256' in cnf) || isOf(cnf, peerCertificate) ? cnf['jkt'] : undefined
}

const isOf = (cnf: JsonObject, peerCertificate: string): boolean => {
  const wanted = cnf['x5t#S256']
  return typeof wanted === 'string' && wanted === thumbprintOf(peerCertificate)
}

const thumbprintOf = (urlEncodedPem: string): string | undefined => {
  try {
    const [leaf] = decodePem('CERTIFICATE', decodeURIComponent(urlEncodedPem))
    return leaf && createHash('sha256').update(leaf).digest('base64url')
  } catch {
    return undefined // malformed percent-encoding
  }
}

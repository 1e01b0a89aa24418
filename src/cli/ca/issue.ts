// Certificates of servers and of clients, signed by a CA and then validated as a verifier does: from the
// leaf to the last certificate above it.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { readChainCertificate } from '../../pki/chain-certificate.ts'
import { meetsNameConstraints } from '../../pki/name-constraints.ts'
import { pathFault, type Path } from '../../pki/path-rules.ts'
import type { Attribute } from '../../x509/name.ts'
import { PURPOSES } from '../../x509/oid.ts'
import { encodePem } from '../../x509/pem.ts'
import { usageError } from '../usage-error.ts'
import type { Authority } from './authority.ts'
import { certify } from './certify.ts'
import { keyPem, newKey, publicKeyDer, type KeyKind } from './keys.ts'
import type { AlternativeName } from './template.ts'
import { validityBelow } from './validity.ts'

/** What a certificate is for. */
export type Profile = 'server' | 'client'

/** The contents of a certificate. */
export interface LeafRequest {
  readonly profile: Profile
  readonly subject: readonly Attribute[]
  readonly names: readonly AlternativeName[]
  /** Default: 365, or until the CA ends. */
  readonly days?: number | undefined
}

/** A certificate, with those that are sent after it, and its key; PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

const DEFAULT_DAYS = 365

/** Makes a key and issues a certificate for it. */
export const issue = async (
  authority: Authority,
  request: LeafRequest,
  kind: KeyKind = 'ec-p256',
): Promise<Issued> => {
  const key = await newKey(kind)
  const certificate = await issueFor(authority, request, createPublicKey(key))
  return { certificate, key: keyPem(key) }
}

/**
 * Issues a certificate for a public key.
 *
 * @returns PEM of the certificate and of those that are sent after it
 * @throws CountersignError `usage` when the CA may not sign it
 */
export const issueFor = async (
  authority: Authority,
  { profile, subject, names, days }: LeafRequest,
  publicKey: KeyObject,
): Promise<string> => {
  const der = await certify(
    {
      subject,
      names,
      // TLS with RSA key exchange, which old clients use, encrypts to the key of the server.
      usages:
        profile === 'server' && publicKey.asymmetricKeyType === 'rsa'
          ? ['digitalSignature', 'keyEncipherment']
          : ['digitalSignature'],
      purposes: [PURPOSES[`${profile}Auth`]],
      ...validityBelow(authority, days, DEFAULT_DAYS),
      publicKey: publicKeyDer(publicKey),
    },
    authority,
  )
  requireValid([readChainCertificate(der), ...authority.path], authority.name, profile, names)
  return encodePem('CERTIFICATE', der) + authority.chain
}

const requireValid = (
  path: Path,
  name: string,
  profile: Profile,
  names: readonly AlternativeName[],
): void => {
  if (!meetsNameConstraints(path)) {
    const shown = names.map(({ kind, value }) => `${kind}:${value}`).join(', ')
    throw usageError(
      `${name}: its name constraints do not permit every name of ${shown}; \`countersign ca show ${name}\` prints what they permit`,
    )
  }
  const fault = pathFault(path, { purposes: [PURPOSES[`${profile}Auth`]] }, Date.now())
  if (fault === undefined) return
  throw usageError(
    fault === 'certificate-purpose'
      ? `${name}: its extended key usage does not permit certificates of ${profile}s; sign by another CA`
      : `${name}: what it signs is not valid (${fault}); \`countersign ca show ${name}\` prints its certificates`,
  )
}

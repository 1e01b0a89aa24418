// The contents of a certificate, before it is signed and for the comparison afterwards.

import type { KeyObject } from 'node:crypto'
import type { KeyUsage } from '../../x509/extensions.ts'
import type { Attribute } from '../../x509/name.ts'
import type { NameConstraints } from './name-constraints.ts'

/** A subject alternative name, as `decodeGeneralNames` reads it. */
export interface AlternativeName {
  readonly kind: 'dns' | 'ip' | 'uri'
  readonly value: string
}

/** Everything in a certificate but its issuer and serial number. */
export interface Template {
  readonly subject: readonly Attribute[]
  readonly names: readonly AlternativeName[]
  /** Only of a CA. */
  readonly authority?: AuthorityTemplate
  readonly usages: readonly KeyUsage[]
  /** Purposes of the extended key usage, OIDs; none: the extension is absent. */
  readonly purposes: readonly string[]
  /** Seconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
}

/** What makes a certificate that of a CA. */
export interface AuthorityTemplate {
  /** How many CAs a path may have below it. */
  readonly pathLength: number
  readonly nameConstraints?: NameConstraints
}

/** Who signs. */
export interface CertificateIssuer {
  /** DER of its subject. */
  readonly subject: Buffer
  readonly keyIdentifier: Buffer
  /** Its private key. */
  readonly key: KeyObject
}

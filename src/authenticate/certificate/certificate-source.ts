// The seam for the location of a client certificate in a request. An authenticator has one source: a header is read
// only if the configuration says that a trusted proxy writes it.

import type { Request } from '../../request/request.ts'
import type { CredentialLocation } from '../../request/credential-location.ts'
import type { Headers } from '../../request/headers.ts'

/** The presented certificates, in DER. */
export interface PresentedCertificates {
  readonly leaf: Buffer
  /** Further certificates, candidates for the path to a trust anchor. */
  readonly others: readonly Buffer[]
}

/** The result of {@link CertificateSource.find}. */
export type Finding =
  | { readonly outcome: 'absent' }
  /** More than one certificate, of which the source must not choose. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'malformed' }
  | {
      readonly outcome: 'found'
      /** The text that it was read from: equal text, equal certificates. */
      readonly text: string
      /** `undefined` when it is malformed. */
      read(): PresentedCertificates | undefined
    }

/** A location of client certificates. */
export interface CertificateSource {
  readonly locations: readonly CredentialLocation[]
  /** Finds the text without parsing it, so that a cached certificate is not parsed again. Never throws. */
  find(request: Request): Finding
}

/** The longest text that is parsed. Envoy accepts headers of 60 KB in all. */
export const LONGEST_TEXT = 65_536

/** The most certificates that a client may present. */
export const MOST_CERTIFICATES = 10

/** The value of every line with this lower-case name. */
export const valuesOf = ({ lines }: Headers, name: string): readonly Buffer[] =>
  lines.filter((line) => line.name === name).map(({ value }) => value)

/** A value as text; `undefined` when it is too long, or not printable ASCII throughout. */
export const readVisible = (value: Buffer): string | undefined => {
  if (value.length > LONGEST_TEXT) return undefined
  const text = value.toString('latin1')
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined
}

// The seam for where a client certificate stands in a request. One authenticator has one source: a
// header counts only where the configuration says that somebody trusted writes it.

import type { Request } from '../../request/request.ts'
import type { CredentialLocation } from '../../request/credential-location.ts'
import type { Headers } from '../../request/headers.ts'

/** The certificates that a caller showed, in DER. */
export interface ShownCertificates {
  readonly leaf: Buffer
  /** What came with it, to lead to a trust anchor. */
  readonly others: readonly Buffer[]
}

/** What was found; see {@link CertificateSource.find}. */
export type Finding =
  | { readonly outcome: 'absent' }
  /** Not ours to choose from. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'malformed' }
  | {
      readonly outcome: 'found'
      /** All that it was read from: equal text, equal certificates. */
      readonly text: string
      /** `undefined` when it is malformed. */
      read(): ShownCertificates | undefined
    }

/** A place for client certificates. */
export interface CertificateSource {
  readonly locations: readonly CredentialLocation[]
  /** Looks, at next to no cost: what is shown is remembered as text, and read once. Never throws. */
  find(request: Request): Finding
}

/** The longest text that is read. Envoy takes headers of 60 KB altogether. */
export const LONGEST_TEXT = 65_536

/** The most certificates that a caller may show. */
export const MOST_CERTIFICATES = 10

/** The value of every line of that lower-case name. */
export const valuesOf = ({ lines }: Headers, name: string): readonly Buffer[] =>
  lines.filter((line) => line.name === name).map(({ value }) => value)

/** A value as text; `undefined` when it is too long, or not printable ASCII from end to end. */
export const readVisible = (value: Buffer): string | undefined => {
  if (value.length > LONGEST_TEXT) return undefined
  const text = value.toString('latin1')
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined
}

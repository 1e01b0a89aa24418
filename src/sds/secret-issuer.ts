// What the secret discovery service asks of whoever makes certificates.

/**
 * Makes the certificate that a name stands for.
 *
 * Legal outcomes, and no others:
 * - `issued`: here it is, good for `ttl` milliseconds from now.
 * - `refused`: there is no such certificate for whoever asks: an unknown or forged name, one outside
 *   the issuer's limits, a CA that cannot be used now. Asked again, the answer may be another.
 *
 * It must not throw for any of these; a throw or a rejection is a bug and is treated as `refused`.
 */
export interface SecretIssuer {
  /** Makes it anew. It is not called again for a name while it is at work for that name. */
  issue(name: string): Promise<Issuance>
  /**
   * Whether no certificate can have the name, whoever asks and whenever: its form alone says so. The
   * refusal is recorded here, and nothing of such a name is kept.
   */
  refusesForm(name: string): boolean
  /**
   * Whether a certificate of the name that was issued before under this `version`, perhaps by another
   * process, is still what `issue` would make now.
   */
  isCurrent(name: string, version: string): boolean
}

/** What came of it. */
export type Issuance = Issued | Refused

/** A certificate with its key. */
export interface Issued {
  readonly outcome: 'issued'
  /** PEM, leaf first. */
  readonly certificateChain: Buffer
  /** PEM, PKCS#8. */
  readonly privateKey: Buffer
  /** Opaque; a certificate that differs has another one. */
  readonly version: string
  /** Milliseconds until Envoy must drop it. */
  readonly ttl: number
}

/** No certificate. */
export interface Refused {
  readonly outcome: 'refused'
  /** For the log; Envoy only learns that there is no such secret. */
  readonly code: string
}

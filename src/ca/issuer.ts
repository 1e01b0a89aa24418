// From a handle to a certificate: the grant behind it opened and held against the limits, a
// certificate minted and looked at once more, and all of it recorded before anything leaves.

import { createHash } from 'node:crypto'
import type { AuditEvent } from '../audit/event.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { InForce } from '../config/reload.ts'
import { handleDigest, isHandle } from '../grant/handle.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { KeptSpans } from '../runtime/tracing/kept-spans.ts'
import type { Span } from '../runtime/tracing/span.ts'
import { formatName } from '../x509/name.ts'
import { encodePem } from '../x509/pem.ts'
import { admit, versionOf, type Admitted, type Refused } from './admission.ts'
import { beginIssuance, describeGrant, endIssuance, part } from './issuance-span.ts'
import type { MintedKey } from './key-pool.ts'
import { isoTime, usableUntil } from './limits.ts'
import type { IssuanceMetrics } from './metrics.ts'
import { mint, randomSerial, type Minting } from './mint.ts'
import { RefusalRecords } from './refusal-records.ts'
import type { SignerSnapshot } from './snapshot.ts'
import { issuedFault } from './verify-issued.ts'
import { replaceUnprintable } from '../runtime/text.ts'

/** What {@link CertificateIssuer} needs. */
export interface CertificateIssuerOptions {
  readonly current: () => InForce<SignerSnapshot>
  /** Reads the configuration again if it has changed; never rejects. */
  readonly refresh: () => Promise<void>
  readonly audit: AuditSink
  readonly logger: Logger
  readonly clock: Clock
  readonly metrics?: IssuanceMetrics
  /** Where the spans of issuances go; absent: none are made. */
  readonly spans?: Pick<KeptSpans, 'begin'>
}

/** A certificate with its key, or why there is none. */
export type Issuance = Issued | NotIssued

/** No certificate, and why. */
export interface NotIssued {
  readonly outcome: 'refused'
  /** For the log: Envoy only learns that there is no such secret. `rejected-before`: Envoy rejected it. */
  readonly code: Refused['code'] | 'rejected-before'
}

/** A certificate with its key. */
export interface Issued {
  readonly outcome: 'issued'
  /** PEM, leaf first. */
  readonly certificateChain: Buffer
  /** PEM, PKCS#8. */
  readonly privateKey: Buffer
  /** Says by which CA it was issued and until when it is valid. */
  readonly version: string
  /** Milliseconds that it is of use for. */
  readonly ttl: number
}

interface Made {
  readonly outcome: 'made'
  readonly admitted: Admitted
  readonly serial: Buffer
  /** DER. */
  readonly certificate: Buffer
  readonly key: MintedKey
}

/** What is known of an issuance since its beginning. */
interface Course {
  readonly start: number
  readonly generation: number
  readonly span: Span | undefined
}

const REFRESH_PAUSE_MS = 1_000
const LONGEST_DETAIL = 200

// The requester chose the text, and logs are read on terminals.
const loggable = (text: string): string =>
  replaceUnprintable(text.slice(0, LONGEST_DETAIL), '\u{fffd}')

/** The methods that serve certificates to Envoy. */
export type CertificateSource = Pick<CertificateIssuer, 'issue' | 'refuseForm' | 'isCurrent'>

/** Issues certificates. Counts of refusals are written when it is disposed of. */
export class CertificateIssuer implements AsyncDisposable {
  readonly #options: CertificateIssuerOptions
  readonly #refusals: RefusalRecords
  #refreshing = Promise.resolve()
  #refreshedAt = Number.NEGATIVE_INFINITY

  constructor(options: CertificateIssuerOptions) {
    this.#options = options
    this.#refusals = new RefusalRecords({
      clock: options.clock,
      write: (event) => this.#record(event),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#refusals[Symbol.asyncDispose]()
  }

  /** Makes the certificate of a handle anew. Never rejects; a refusal can be another one the next time. */
  async issue(handle: string): Promise<Issuance> {
    const span = beginIssuance(this.#options.spans, handle)
    const issuance = await this.#issue(handle, span)
    endIssuance(span, issuance.outcome === 'refused' ? issuance.code : undefined)
    return issuance
  }

  async #issue(handle: string, span: Span | undefined): Promise<Issuance> {
    const start = this.#options.clock.monotonic()
    try {
      const { admission, generation } = await part(span, 'admit', () => this.#admit(handle))
      const made = admission.outcome === 'refused' ? admission : await this.#make(admission, span)
      describeGrant(span, made.outcome === 'refused' ? made.grant : made.admitted.grant)
      return made.outcome === 'refused'
        ? await this.#refuse(handle, made, generation)
        : await this.#release(handle, made, { start, generation, span })
    } catch (cause) {
      const { logger, current } = this.#options
      logger.error({ handle: handleDigest(handle), err: cause }, 'issuance failed')
      const refused: Refused = { outcome: 'refused', code: 'internal-error' }
      return await this.#refuse(handle, refused, current().generation)
    }
  }

  /**
   * Refuses a name that is not a handle, whatever the configuration; gives `undefined` for a handle. Resolves when the
   * refusal is recorded, and never rejects.
   */
  refuseForm(name: string): Promise<Issuance> | undefined {
    if (isHandle(name)) return undefined
    const refused: Refused = { outcome: 'refused', code: 'handle-malformed' }
    return this.#refuse(name, refused, this.#options.current().generation)
  }

  /** Whether what was issued under this version would be issued again now. */
  isCurrent(handle: string, version: string): boolean {
    const { current, clock } = this.#options
    const admission = admit(handle, current().value, clock.now())
    return admission.outcome === 'admitted' && version === versionOf(admission)
  }

  async #admit(handle: string): Promise<{ admission: Admitted | Refused; generation: number }> {
    const { current, clock } = this.#options
    const { value, generation } = current()
    const admission = admit(handle, value, clock.now())
    if (admission.outcome === 'admitted' || admission.code !== 'grant-key-unknown') {
      return { admission, generation }
    }
    // authz may seal with a key already that came into the keyring a moment ago.
    await this.#refresh()
    const next = current()
    return { admission: admit(handle, next.value, clock.now()), generation: next.generation }
  }

  /** At most once a second, since handles with an unknown key may be forged. */
  async #refresh(): Promise<void> {
    const { refresh, clock } = this.#options
    const now = clock.monotonic()
    if (now - this.#refreshedAt >= REFRESH_PAUSE_MS) {
      this.#refreshedAt = now
      this.#refreshing = refresh()
    }
    await this.#refreshing
  }

  async #make(admitted: Admitted, span: Span | undefined): Promise<Made | Refused> {
    const { grant, authority } = admitted
    const { logger, clock } = this.#options
    const verdict = authority.rate.take(grant)
    if (verdict !== 'within') {
      return { outcome: 'refused', code: 'rate-limited', detail: verdict, grant }
    }
    const key = await part(span, 'key', () => authority.keys.take())
    const serial = randomSerial()
    const minting = { grant, authority: authority.ca, serial, publicKey: key.publicKey }
    const certificate = await part(span, 'sign', () => this.#mint(minting))
    if (certificate === undefined) {
      return { outcome: 'refused', code: 'authority-unavailable', grant }
    }
    const fault = await part(span, 'verify', () =>
      issuedFault(certificate, minting, key.privateKey),
    )
    if (fault !== undefined) {
      logger.error(
        { authority: grant.authority, fault },
        'minted certificate differs from the request',
      )
      return { outcome: 'refused', code: 'issued-mismatch', detail: fault, grant }
    }
    // Keys and signatures may have been waited for.
    if (usableUntil(grant) * 1_000 <= clock.now()) {
      return { outcome: 'refused', code: 'grant-expired', grant }
    }
    return { outcome: 'made', admitted, serial, certificate, key }
  }

  async #mint(minting: Minting): Promise<Buffer | undefined> {
    try {
      return await mint(minting)
    } catch (cause) {
      const { authority } = minting.grant
      this.#options.logger.error({ authority, err: cause }, 'CA did not sign')
      return undefined
    }
  }

  /** What was not recorded does not leave. */
  async #release(
    handle: string,
    { admitted, serial, certificate, key }: Made,
    { start, generation, span }: Course,
  ): Promise<Issuance> {
    const { grant, authority, subject, names } = admitted
    const { clock } = this.#options
    const ttl = usableUntil(grant) * 1_000 - clock.now()
    const event: AuditEvent = {
      event: 'certificate-issued',
      handle: handleDigest(handle),
      authority: grant.authority,
      route: grant.route,
      authenticator: grant.authenticator,
      serial: serial.toString('hex'),
      fingerprint: createHash('sha256').update(certificate).digest('hex'),
      subject: formatName(subject),
      names: names.map(({ kind, value }) => `${kind}:${value}`),
      notBefore: isoTime(grant.notBefore),
      notAfter: isoTime(grant.notAfter),
      keys: authority.algorithm,
      duration: Math.round((clock.monotonic() - start) * 1_000),
      generation,
    }
    const recorded = await part(span, 'audit', () => this.#record(event))
    if (!recorded) {
      this.#options.metrics?.refused('audit-unavailable')
      return { outcome: 'refused', code: 'audit-unavailable' }
    }
    const issued: Issued = {
      outcome: 'issued',
      certificateChain: Buffer.from(encodePem('CERTIFICATE', certificate) + authority.ca.chain),
      privateKey: Buffer.from(key.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      version: versionOf(admitted),
      ttl,
    }
    this.#options.metrics?.issued(grant.authority, clock.monotonic() - start, span?.reference)
    return issued
  }

  async #refuse(
    handle: string,
    { code, grant, detail }: Refused,
    generation: number,
  ): Promise<Issuance> {
    this.#options.metrics?.refused(code)
    await this.#refusals.record({
      event: 'certificate-refused',
      handle: handleDigest(handle),
      reason: code,
      authority: grant?.authority,
      route: grant?.route,
      authenticator: grant?.authenticator,
      detail: detail === undefined ? undefined : loggable(detail),
      generation,
    })
    return { outcome: 'refused', code }
  }

  async #record(event: AuditEvent): Promise<boolean> {
    try {
      await this.#options.audit.write(event)
      return true
    } catch (cause) {
      this.#options.logger.error({ err: cause, event }, 'audit event lost')
      return false
    }
  }
}

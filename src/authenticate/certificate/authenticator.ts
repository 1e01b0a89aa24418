// Client certificates (RFC 5280): verified by a path to a configured trust anchor, here and not only where TLS
// terminates. The TLS server verifies possession of the key; this verifies the path, the purposes and the revocation.

import { certificateFields, type CertificateFields } from '../../identity/certificate-fields.ts'
import { certificateGroups, certificateUser } from '../../identity/default-names.ts'
import { presentedCertificate } from '../../identity/presented-credential.ts'
import type { Clock } from '../../runtime/clock.ts'
import { digestOf } from '../../runtime/digest.ts'
import { shared } from '../../runtime/shared.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import type { CertificateSource, Finding, PresentedCertificates } from './certificate-source.ts'
import {
  isMalformed,
  readChainCertificate,
  type ChainCertificate,
} from '../../pki/chain-certificate.ts'
import type { Path, PathRules } from '../../pki/path-rules.ts'
import { findPath } from '../../pki/path.ts'
import type { RevocationChecker } from '../../pki/revocation.ts'
import type { Trust } from '../../pki/trust.ts'
import { fingerprintOf, type CredentialCache } from '../credential-cache.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** What a certificate authenticator needs. */
export interface CertificateOptions extends PathRules {
  /** Its name in the configuration. */
  readonly name: string
  readonly source: CertificateSource
  readonly trust: Trust
  /** Without it, revocation is not checked. */
  readonly revocation?: RevocationChecker | undefined
  /** How long a verified certificate is cached at most, in milliseconds; 0 for no caching. */
  readonly cacheTtl: number
  readonly clock: Clock
  readonly cache: CredentialCache
}

// Longer than Envoy waits by default, so that a slow verification still serves the retry.
const REVOCATION_DEADLINE = 10_000

type Found = Extract<Finding, { outcome: 'found' }>

/** Makes an authenticator for client certificates. */
export const certificateAuthenticator = (options: CertificateOptions): Authenticator => {
  const { name, source, cache } = options
  const prover = new Prover(options)
  return {
    name,
    challenges: [], // TLS requests certificates, HTTP cannot
    locations: source.locations,
    authenticate(request, signal) {
      const finding = source.find(request)
      switch (finding.outcome) {
        case 'absent':
          return { outcome: 'not-applicable' }
        case 'conflict':
          return { outcome: 'rejected', code: 'credential-conflict' }
        case 'malformed':
          return MALFORMED
        case 'found': {
          const key = cache.keyOf(prover.generation, finding.text)
          const credential = cache.get(key)
          if (credential !== undefined) return { outcome: 'authenticated', credential }
          return shared(() => prover.prove(key, finding), signal)
        }
      }
    },
  }
}

const MALFORMED = { outcome: 'rejected', code: 'credential-malformed' } as const

/** Certificates that could be parsed, and what the first one contains. */
interface Reading {
  readonly leaf: ChainCertificate
  readonly others: readonly ChainCertificate[]
  readonly fields: CertificateFields
}

/** Verifies certificates, and caches verified ones for as long as everything that they depend on is valid. */
class Prover {
  readonly #options: CertificateOptions
  readonly #generation: string

  constructor(options: CertificateOptions) {
    this.#options = options
    const { name, trust, purposes, cacheTtl } = options
    this.#generation = digestOf([name, trust.generation, purposes, cacheTtl])
  }

  /** Everything that a verification depends on, as it is now. */
  get generation(): string {
    return `${this.#generation}${this.#options.revocation?.generation ?? ''}`
  }

  /** Shared by all concurrent requests with this certificate; not ended when one of them is cancelled. */
  async prove(key: string, found: Found): Promise<Authentication> {
    const { cache, cacheTtl, clock } = this.#options
    // Lowered below: a certificate is cached no longer than its revocation status is valid.
    const lifetimes = { proof: cacheTtl, rejection: cacheTtl }
    return await cache.getOrVerify(key, lifetimes, async () => {
      const reading = read(found.read())
      if (reading === undefined) return MALFORMED
      const { leaf, fields } = reading
      const verdict = await this.#judge(reading)
      const user = certificateUser(fields)
      if (verdict.outcome === 'rejected') {
        return { ...verdict, user, presented: presentedCertificate(fields, false) }
      }
      if (verdict.outcome === 'unavailable') return verdict
      lifetimes.proof = Math.min(cacheTtl, verdict.until - clock.now())
      const digest = fingerprintOf(cache.keyOf(this.generation, leaf.der.toString('base64')))
      return {
        outcome: 'authenticated',
        credential: {
          method: 'certificate',
          digest,
          user,
          groups: certificateGroups(fields),
          extra: {},
          expires: leaf.parts.notAfter * 1_000,
          authenticatedAt: clock.now(),
          certificate: fields,
          presented: presentedCertificate(fields, true),
          certificateDer: leaf.der,
        },
      }
    })
  }

  async #judge({ leaf, others }: Reading): Promise<Verdict> {
    const { trust, purposes, clock } = this.#options
    const result = await findPath(leaf, others, trust, { purposes }, clock.now())
    if (result.outcome === 'invalid') return { outcome: 'rejected', code: result.code }
    const until = await this.#revocationOf(result.path)
    return typeof until === 'number'
      ? { outcome: 'valid', until: Math.min(until, result.until) }
      : until
  }

  /** Until when the path is known not to be revoked. */
  async #revocationOf(path: Path): Promise<number | Exclude<Verdict, { outcome: 'valid' }>> {
    const { revocation } = this.#options
    if (revocation === undefined) return Number.POSITIVE_INFINITY
    const ders = path.map(({ der }) => der)
    const status = await revocation.check(ders, AbortSignal.timeout(REVOCATION_DEADLINE))
    switch (status.outcome) {
      case 'good':
        return status.until ?? Number.POSITIVE_INFINITY
      case 'revoked':
        return { outcome: 'rejected', code: 'certificate-revoked' }
      case 'denied':
        return { outcome: 'rejected', code: 'certificate-denied' }
      case 'unknown':
        return { outcome: 'rejected', code: 'certificate-status-unknown' }
      case 'unavailable':
        return { outcome: 'unavailable', cause: status.cause }
    }
  }
}

type Verdict =
  | { readonly outcome: 'valid'; readonly until: number }
  | Extract<Authentication, { outcome: 'rejected' | 'unavailable' }>

const read = (presented: PresentedCertificates | undefined): Reading | undefined => {
  if (presented === undefined) return undefined
  try {
    const leaf = readChainCertificate(presented.leaf)
    const others = presented.others.map(readChainCertificate)
    const fields = certificateFields(leaf.parts, leaf.fingerprint)
    return hasControls(fields) ? undefined : { leaf, others, fields }
  } catch (cause) {
    if (!isMalformed(cause)) throw cause
    return undefined
  }
}

/**
 * Names with control characters, NUL above all: some readers end the name there, so that `admin\0.example.org` would
 * be two users.
 */
const hasControls = ({ subject, dns, uris, emails, upns }: CertificateFields): boolean =>
  [...Object.values(subject), dns, uris, emails, upns].flat().some(hasControlCharacter)

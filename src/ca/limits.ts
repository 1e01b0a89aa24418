// What a CA signs, whatever a grant asks for. Pure: a grant, the limits and the time → within, or
// what is beyond. A stolen grant key gets as far as this and no further.

import type { LimitsConfig } from './schema.ts'
import type { Grant } from '../grant/grant.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { GeneralName } from '../x509/general-names.ts'
import { decodeName, type Attribute } from '../x509/name.ts'
import type { Excess } from './excess.ts'
import { extensionLimits, type ExtensionLimits } from './extension-limits.ts'
import { nameLimits } from './name-limits.ts'
import { subjectLimits } from './subject-limits.ts'

/** A grant within its limits, parsed; or what exceeds them. */
export type LimitsVerdict =
  | {
      readonly outcome: 'within'
      readonly subject: readonly Attribute[]
      readonly names: readonly GeneralName[]
    }
  | ({ readonly outcome: 'beyond' } & Excess)

// The clocks of authz and of this machine may differ.
const SKEW_S = 60

// A request that authz decided at the very end of a slot still gets its certificate.
const GRACE_S = 60

// 9999-12-31T23:59:59Z: RFC 5280 §4.1.2.5 cannot express later times.
const LAST_SECOND = 253_402_300_799

/** Until when the certificate of a grant is of use; seconds since the epoch. */
export const usableUntil = ({ renewAt, notAfter }: Grant): number =>
  Math.min(renewAt + GRACE_S, notAfter)

/** The limits of one CA. */
export class Limits {
  readonly #lifetime: number
  readonly #authorityEnds: number
  readonly #subject: (subject: readonly Attribute[]) => Excess | undefined
  readonly #extensions: ExtensionLimits

  /** @param authorityEnds the notAfter of the CA's certificate */
  constructor(config: LimitsConfig, authorityEnds: number) {
    this.#lifetime = config.lifetime / 1_000
    this.#authorityEnds = authorityEnds
    this.#subject = subjectLimits(config)
    this.#extensions = extensionLimits(config, nameLimits(config))
  }

  /** @param now milliseconds since the epoch */
  check(grant: Grant, now: number): LimitsVerdict {
    try {
      const subject = decodeName(grant.subject)
      const { names, excess } = this.#extensions(grant.extensions)
      const beyond = this.#validityExcess(grant, now / 1_000) ?? this.#subject(subject) ?? excess
      return beyond === undefined
        ? { outcome: 'within', subject, names }
        : { outcome: 'beyond', ...beyond }
    } catch (cause) {
      if (!(cause instanceof CountersignError)) throw cause
      return { outcome: 'beyond', code: 'grant-malformed', detail: cause.message }
    }
  }

  #validityExcess(grant: Grant, now: number): Excess | undefined {
    const { notBefore, notAfter, renewAt } = grant
    const ordered = 0 <= notBefore && notBefore < notAfter && notAfter <= LAST_SECOND
    if (!ordered || ![notBefore, notAfter, renewAt].every(Number.isSafeInteger)) {
      return { code: 'grant-malformed', detail: 'times that no certificate can have' }
    }
    const span = `${isoTime(notBefore)} to ${isoTime(notAfter)}`
    if (notAfter - notBefore > this.#lifetime) return { code: 'lifetime-exceeded', detail: span }
    if (notBefore > now + SKEW_S) return { code: 'grant-not-yet-valid', detail: span }
    if (usableUntil(grant) <= now) return { code: 'grant-expired', detail: span }
    if (notAfter > this.#authorityEnds) {
      return { code: 'authority-expires', detail: isoTime(this.#authorityEnds) }
    }
    return undefined
  }
}

/** ISO 8601 of seconds since the epoch. */
export const isoTime = (seconds: number): string => new Date(seconds * 1_000).toISOString()

// What is counted of issuances: by CA, which the configuration names, and by the reasons of the audit
// log. Not by anything that a handle says.

import type { CertificateRefusal } from '../audit/event.ts'
import { Distribution } from '../runtime/metrics/distribution.ts'
import type { IssuanceObserver } from './issuer.ts'

/** The issuances since the start. */
export class IssuanceStatistics implements IssuanceObserver {
  readonly #issued = new Map<string, Distribution>()
  readonly #refused = new Map<CertificateRefusal, number>()

  /** How long certificates took, by CA. */
  get durations(): ReadonlyMap<string, Distribution> {
    return this.#issued
  }

  /** Refusals by reason. */
  get refusals(): ReadonlyMap<CertificateRefusal, number> {
    return this.#refused
  }

  issued(authority: string, duration: number): void {
    const durations = this.#issued.get(authority) ?? new Distribution()
    durations.observe(duration / 1_000)
    this.#issued.set(authority, durations)
  }

  refused(code: CertificateRefusal): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }
}

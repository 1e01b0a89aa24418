// The metrics of issuances: by certificate authority, which the configuration names, and by the reasons of the
// audit log. A handle chooses no label.

import type { CertificateRefusal } from '../audit/event.ts'
import { Counter, Histogram } from '../runtime/metrics/metric.ts'
import type { SpanReference } from '../runtime/tracing/span.ts'

/** Counts issuances since the start. */
export class IssuanceMetrics {
  readonly durations = new Histogram<'authority'>(
    'countersign_signer_issuance_duration_seconds',
    'From the request for a certificate to the certificate, by CA: its count is that of the certificates.',
    { authority: 'the CAs of `signer.yaml`' },
  )
  readonly refusals = new Counter<'reason'>(
    'countersign_signer_refusals_total',
    'Certificates that were refused, by reason. The reasons are those of the audit log.',
    { reason: 'the reasons of `certificate-refused`' },
  )

  /**
   * @param duration from the request to the certificate, in milliseconds
   * @param span of the issuance, where it is kept for a reader
   */
  issued(authority: string, duration: number, span?: SpanReference): void {
    this.durations.of({ authority }).observe(duration / 1_000, span)
  }

  refused(reason: CertificateRefusal): void {
    this.refusals.inc({ reason })
  }
}

// The metrics of the signer.

import type { SignerResources, SignerSnapshot } from '../ca/snapshot.ts'
import type { IssuanceStatistics } from '../ca/statistics.ts'
import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'
import type { SdsService } from './service.ts'

/** What is counted, and where. */
export interface SignerParts {
  readonly current: () => { readonly value: SignerSnapshot }
  readonly resources: SignerResources
  readonly issuances: IssuanceStatistics
  readonly sds: SdsService
}

/** The metrics of one signer, but for those that authz has too. */
export const signerMetrics = (parts: SignerParts): readonly Metric[] => [
  ...issuanceMetrics(parts.issuances),
  ...authorityMetrics(parts),
  ...streamMetrics(parts.sds),
]

const issuanceMetrics = (issuances: IssuanceStatistics): readonly Metric[] => [
  {
    type: 'histogram',
    name: 'countersign_signer_issuance_duration_seconds',
    help: 'From the request for a certificate to the certificate, by CA: its count is that of the certificates.',
    labels: ['authority'],
    read: () =>
      [...issuances.durations].map(([authority, value]) => ({ labels: { authority }, value })),
  },
  {
    type: 'counter',
    name: 'countersign_signer_refusals_total',
    help: 'Certificates that were refused, by reason. The reasons are those of the audit log.',
    labels: ['reason'],
    read: () => [...issuances.refusals].map(([reason, value]) => ({ labels: { reason }, value })),
  },
]

const authorityMetrics = ({ current, resources }: SignerParts): readonly Metric[] => [
  {
    type: 'gauge',
    name: 'countersign_signer_authority_not_after_timestamp_seconds',
    help: 'When the certificate of a CA ends.',
    labels: ['authority'],
    read: () =>
      [...current().value.authorities].map(([authority, { ca }]) => ({
        labels: { authority },
        value: ca.certificate.notAfter,
      })),
  },
  {
    type: 'gauge',
    name: 'countersign_signer_rate_left',
    help: 'Certificates that a CA may issue at once before its rate limit refuses.',
    labels: ['authority'],
    read: () =>
      [...current().value.authorities].map(([authority, { rate }]) => ({
        labels: { authority },
        value: Math.floor(rate.left),
      })),
  },
  {
    type: 'gauge',
    name: 'countersign_signer_keys_ready',
    help: 'Keys that were made ahead; absent where they are made on the spot.',
    labels: ['algorithm'],
    read: () =>
      [...resources.stocks()].map(([algorithm, { ready }]) => ({
        labels: { algorithm },
        value: ready,
      })),
  },
  {
    type: 'gauge',
    name: 'countersign_signer_keys_awaited',
    help: 'Certificates that wait for a key.',
    labels: ['algorithm'],
    read: () =>
      [...resources.stocks()].map(([algorithm, { waiting }]) => ({
        labels: { algorithm },
        value: waiting,
      })),
  },
]

const streamMetrics = (sds: SdsService): readonly Metric[] => [
  gauge('countersign_signer_streams', 'Open streams of Envoy’s.', () => sds.statistics().streams),
  gauge(
    'countersign_signer_names',
    'Certificates that the streams hold, each as often as it is held.',
    () => sds.statistics().names,
  ),
  counter(
    'countersign_signer_nacks_total',
    'Certificates that Envoy rejected.',
    () => sds.statistics().nacks,
  ),
  counter(
    'countersign_signer_errors_total',
    'Faults of the signer’s own, and streams that were ended for what they asked.',
    () => sds.statistics().errors,
  ),
]

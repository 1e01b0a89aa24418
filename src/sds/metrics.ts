// The metrics of the signer.

import type { KeyStock } from '../ca/key-pool.ts'
import type { Authority, SignerResources, SignerSnapshot } from '../ca/snapshot.ts'
import type { IssuanceMetrics } from '../ca/metrics.ts'
import { KEY_ALGORITHMS } from '../keys/key-algorithm.ts'
import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'
import type { KeptSpans } from '../runtime/tracing/kept-spans.ts'
import type { SdsService } from './service.ts'

/** What is counted, and where. */
export interface SignerParts {
  readonly current: () => { readonly value: SignerSnapshot }
  readonly resources: Pick<SignerResources, 'stocks'>
  readonly issuances: IssuanceMetrics
  readonly sds: Pick<SdsService, 'statistics' | 'unheld'>
  readonly spans: Pick<KeptSpans, 'statistics'>
}

/** The metrics of one signer, except those that authz has too. */
export const signerMetrics = (parts: SignerParts): readonly Metric[] => [
  parts.issuances.durations,
  parts.issuances.refusals,
  ...authorityMetrics(parts),
  ...streamMetrics(parts.sds),
  spanMetric(parts.spans),
]

const AUTHORITY = { authority: 'the CAs of `signer.yaml`' }
const ALGORITHM = { algorithm: KEY_ALGORITHMS }

const authorityMetrics = ({ current, resources }: SignerParts): readonly Metric[] => {
  const perAuthority = (value: (authority: Authority) => number) => () =>
    [...current().value.authorities].map(([authority, one]) => ({
      labels: { authority },
      value: value(one),
    }))
  const perAlgorithm = (value: (stock: KeyStock) => number) => () =>
    [...resources.stocks()].map(([algorithm, stock]) => ({
      labels: { algorithm },
      value: value(stock),
    }))
  return [
    gauge(
      'countersign_signer_authority_not_after_timestamp_seconds',
      'When the certificate of a CA ends.',
      perAuthority(({ ca }) => ca.certificate.notAfter),
      AUTHORITY,
    ),
    gauge(
      'countersign_signer_rate_limit_remaining',
      'Certificates that a CA may issue at once before its rate limit refuses.',
      perAuthority(({ rate }) => Math.floor(rate.left)),
      AUTHORITY,
    ),
    gauge(
      'countersign_signer_keys_ready',
      'Keys that were generated in advance; absent where they are generated on demand.',
      perAlgorithm(({ ready }) => ready),
      ALGORITHM,
    ),
    gauge(
      'countersign_signer_issuances_pending',
      'Issuances that wait for a key.',
      perAlgorithm(({ waiting }) => waiting),
      ALGORITHM,
    ),
  ]
}

const spanMetric = (spans: SignerParts['spans']): Metric =>
  counter(
    'countersign_signer_spans_total',
    'Spans of issuances: read by `countersign metrics`, or dropped since there were too many, or since it did not read them in time. Without it, none are made.',
    () => {
      const { read, dropped } = spans.statistics
      return [
        { labels: { outcome: 'read' }, value: read },
        { labels: { outcome: 'dropped' }, value: dropped },
      ]
    },
    { outcome: ['read', 'dropped'] },
  )

const streamMetrics = (sds: SignerParts['sds']): readonly Metric[] => [
  gauge('countersign_signer_streams', 'Open streams of Envoy’s.', () => sds.statistics().streams),
  gauge(
    'countersign_signer_subscriptions',
    'Subscriptions of streams to certificates.',
    () => sds.statistics().names,
  ),
  gauge(
    'countersign_signer_certificates_cached',
    'Certificates that no stream holds now, kept for the next one that requests them.',
    () => sds.unheld().entries,
  ),
  gauge(
    'countersign_signer_certificates_cached_bytes',
    'Memory that they take, about.',
    () => sds.unheld().bytes,
  ),
  gauge(
    'countersign_signer_certificates_cached_max_bytes',
    'The most memory for them.',
    () => sds.unheld().maxBytes,
  ),
  counter(
    'countersign_signer_nacks_total',
    'Certificates that Envoy rejected.',
    () => sds.statistics().nacks,
  ),
  counter(
    'countersign_signer_errors_total',
    'Internal errors, and streams that were ended because of an invalid request.',
    () => sds.statistics().errors,
  ),
]

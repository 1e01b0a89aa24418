// What ends when, and whether the signer mints what it should.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import type { Threshold } from './panel-parts.ts'
import { heatmap, stat, table, timeSeries } from './panels.ts'
import { envoySeries, grown, orZero, quantile, rate, ROUTE, series, sum } from './queries.ts'

const DAY = 86_400

/** Red below the first, yellow below the second; seconds. */
const left = (red: number, yellow: number): readonly Threshold[] => [
  [Number.MIN_SAFE_INTEGER, 'red'],
  [red, 'yellow'],
  [yellow, 'green'],
]
const untilEnd = (metric: string, by: string): string =>
  `min by (${by}) (${series(metric)}) - time()`
const firstEnd = (metric: string): string => `min(${series(metric)}) - time()`

const CERTIFICATE = 'countersign_certificate_not_after_timestamp_seconds'
const AUTHORITY = 'countersign_signer_authority_not_after_timestamp_seconds'
const CRL = 'countersign_crl_next_update_timestamp_seconds'
const ISSUANCE = 'countersign_signer_issuance_duration_seconds'

const minted = rate(series(`${ISSUANCE}_count`))
const refused = rate(series('countersign_signer_refusals_total'))

const atAGlance = [
  stat({
    title: 'Next certificate ends in',
    about:
      'Of the certificates that configurations name. 14 days: docs/operate/rotate-certificates.md.',
    unit: 's',
    thresholds: left(7 * DAY, 14 * DAY),
    query: firstEnd(CERTIFICATE),
  }),
  stat({
    title: 'Next CA ends in',
    about:
      'Of the CAs of the signer. 60 days: docs/operate/rotate-keys.md, "CA of the signer". Certificates never outlive their CA.',
    unit: 's',
    thresholds: left(14 * DAY, 60 * DAY),
    query: firstEnd(AUTHORITY),
  }),
  stat({
    title: 'Next CRL ends in',
    about:
      'After that, certificates of its issuer are refused: docs/operate/rotate-certificates.md, "CRLs and the deny-list".',
    unit: 's',
    thresholds: left(3_600, 4 * 3_600),
    query: firstEnd(CRL),
  }),
  stat({
    title: 'Envoy: next ends in',
    about:
      'Of the certificates that Envoy has loaded, in whole days. Less than in the file: Envoy has not loaded the new one.',
    unit: 'd',
    thresholds: left(7, 14),
    query: `min(${envoySeries('envoy_server_days_until_first_cert_expiring')})`,
  }),
  stat({
    title: 'Refused certificates',
    about:
      'Certificates a second that the signer refuses. Above 0: docs/operate/troubleshooting.md, "No certificate for the upstream".',
    unit: 'cps',
    thresholds: [[0.001, 'red']],
    query: orZero(sum(refused)),
  }),
  stat({
    title: 'Rejected by Envoy',
    about:
      'Certificates that Envoy did not accept (NACK), in this range. Above 0: the log of Envoy has the reason.',
    unit: 'none',
    decimals: 0,
    thresholds: [[1, 'red']],
    query: orZero(sum(grown(series('countersign_signer_nacks_total')))),
  }),
]

const ending = [
  table({
    title: 'Certificates',
    about:
      'Those that the configuration names, with the file that has to be replaced; a change is loaded without a restart.',
    unit: 's',
    thresholds: left(7 * DAY, 14 * DAY),
    ascending: true,
    query: untilEnd(CERTIFICATE, 'key, subject, file'),
    columns: { key: 'Key of the configuration', subject: 'Subject', file: 'File' },
    value: 'Ends in',
  }),
  table({
    title: 'CAs of the signer',
    about:
      'docs/operate/rotate-keys.md, "CA of the signer", says how to replace one without an interruption.',
    unit: 's',
    width: 6,
    thresholds: left(14 * DAY, 60 * DAY),
    ascending: true,
    query: untilEnd(AUTHORITY, 'authority'),
    columns: { authority: 'CA' },
    value: 'Ends in',
  }),
  table({
    title: 'CRLs',
    about:
      'When each has to be replaced. A URL is fetched by authz: see Dependencies; a file has to be written by you.',
    unit: 's',
    width: 6,
    thresholds: left(3_600, 4 * 3_600),
    ascending: true,
    query: untilEnd(CRL, 'source'),
    columns: { source: 'Source' },
    value: 'Ends in',
  }),
]

const asked = [
  timeSeries({
    title: 'Requests with a certificate, by route',
    about:
      'Checks that were permitted and forwarded with a client certificate. Many requests share one certificate.',
    unit: 'reqps',
    queries: {
      '{{route}}': sum(rate(series('countersign_certificate_requests_total', ROUTE)), 'route'),
    },
  }),
  timeSeries({
    title: 'Grants sealed and certificates minted',
    about:
      'authz seals a grant for each new certificate; the signer of each Envoy mints it. Grants without certificates: Envoy does not reach the signer.',
    unit: 'cps',
    queries: {
      'grants (authz)': sum(rate(series('countersign_grants_sealed_total'))),
      'certificates (signer)': sum(minted),
      'refused (signer)': orZero(sum(refused)),
    },
  }),
  timeSeries({
    title: 'Refused, by reason',
    about:
      'docs/reference/reasons.md has cause and remedy. `grant-key-unknown`: the keyrings of authz and signer differ; `rate-limited`: the limit of the CA; `subject-refused`: the limits in signer.yaml.',
    unit: 'cps',
    queries: { '{{reason}}': sum(refused, 'reason') },
  }),
]

const minting = [
  timeSeries({
    title: 'Minting, p50 and p99',
    about:
      'From the request of Envoy to the certificate. The first request of an identity waits for it. High: CPU of the signer, or no key was ready.',
    unit: 's',
    exemplars: true,
    queries: {
      p50: quantile(0.5, series(`${ISSUANCE}_bucket`)),
      p99: quantile(0.99, series(`${ISSUANCE}_bucket`)),
    },
    links: [linkTo('runtime', 'Runtime')],
  }),
  heatmap({
    title: 'Minting, distribution',
    about: 'Certificates a second, by duration.',
    unit: 's',
    width: 8,
    query: sum(rate(series(`${ISSUANCE}_bucket`)), 'le'),
  }),
  timeSeries({
    title: 'Rate limit of each CA',
    about:
      'Certificates that a CA may issue at once. At 0 it refuses: raise `limits.rate` in signer.yaml, if this many identities are real.',
    unit: 'short',
    queries: {
      '{{authority}}': `min by (authority) (${series('countersign_signer_rate_limit_remaining')})`,
    },
  }),
  timeSeries({
    title: 'Keys',
    about:
      'Keys that were generated in advance, and issuances that wait for one. Waiting for long: the CPU of the signer.',
    unit: 'short',
    queries: {
      'ready: {{algorithm}}': sum(series('countersign_signer_keys_ready'), 'algorithm'),
      'waiting: {{algorithm}}': sum(series('countersign_signer_issuances_pending'), 'algorithm'),
    },
  }),
  timeSeries({
    title: 'Envoy at the signer',
    about:
      'Streams of Envoy and the certificates that they subscribe to: one for each identity in use. 0 streams: Envoy does not reach the signer.',
    unit: 'short',
    queries: {
      streams: sum(series('countersign_signer_streams')),
      subscriptions: sum(series('countersign_signer_subscriptions')),
    },
  }),
  timeSeries({
    title: 'Rejected and failed',
    about:
      '`rejected`: Envoy does not accept a certificate. `errors`: invalid requests and internal errors; the log of the signer has them.',
    unit: 'cps',
    queries: {
      rejected: sum(rate(series('countersign_signer_nacks_total'))),
      errors: sum(rate(series('countersign_signer_errors_total'))),
    },
  }),
  timeSeries({
    title: 'Certificates without a stream',
    about: 'Certificates that no stream holds now, kept for the next one that requests them.',
    unit: 'short',
    queries: { kept: sum(series('countersign_signer_certificates_cached')) },
  }),
  timeSeries({
    title: 'Room used by kept certificates',
    about: 'Of the memory that they may take.',
    unit: 'percentunit',
    queries: {
      used: `sum(${series('countersign_signer_certificates_cached_bytes')}) / sum(${series('countersign_signer_certificates_cached_max_bytes')})`,
    },
  }),
  timeSeries({
    title: 'Age of the grant key',
    about:
      'Of the key that seals certificate grants. Rotate it once a year (docs/operate/rotate-keys.md, "Grant keys"). Absent where the keyring does not say when it was made.',
    unit: 's',
    thresholds: [[2 * 365 * DAY, 'red']],
    queries: {
      '{{pod}} {{instance}}': `max by (pod, instance) (${series('countersign_grant_key_age_seconds')})`,
    },
  }),
]

const upstreams = [
  timeSeries({
    title: 'TLS to upstreams: handshakes',
    about: 'New connections with TLS a second. Each new certificate makes new connections.',
    unit: 'cps',
    width: 12,
    queries: {
      '{{envoy_cluster_name}}': sum(
        rate(envoySeries('envoy_cluster_ssl_handshake')),
        'envoy_cluster_name',
      ),
    },
  }),
  timeSeries({
    title: 'TLS to upstreams: failures',
    about:
      'Connections that fail. Of one upstream after its CA or that of the signer was rotated: one side does not trust the other yet.',
    unit: 'cps',
    width: 12,
    queries: {
      '{{envoy_cluster_name}}: TLS': sum(
        rate(envoySeries('envoy_cluster_ssl_connection_error')),
        'envoy_cluster_name',
      ),
      '{{envoy_cluster_name}}: connection': sum(
        rate(envoySeries('envoy_cluster_upstream_cx_connect_fail')),
        'envoy_cluster_name',
      ),
    },
  }),
]

/** The dashboard. */
export const certificates: Dashboard = {
  name: 'certificates',
  title: 'Certificates and signer',
  about: 'Which certificates, CAs and CRLs end when, and whether the signer mints what it should.',
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'What ends', panels: ending },
    { title: 'Certificates for upstreams', panels: asked },
    { title: 'Signer', panels: minting },
    { title: 'Envoy and the upstreams', panels: upstreams },
  ],
}

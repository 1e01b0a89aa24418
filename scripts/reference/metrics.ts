// docs/reference/metrics.md: the metrics of authz and of the signer, from the code that registers them.

import { commonMetrics } from '../../src/audit/metrics.ts'
import { IssuanceMetrics } from '../../src/ca/metrics.ts'
import { authzMetrics } from '../../src/check/metrics.ts'
import { PhaseDurations } from '../../src/check/phase-durations.ts'
import { StateSamples } from '../../src/check/state-samples.ts'
import { CheckStatistics } from '../../src/check/statistics.ts'
import { sinkMetrics } from '../../src/audit/forward/metrics.ts'
import { tracingMetrics } from '../../src/check/tracing.ts'
import { ReloadStatus } from '../../src/config/reload-status.ts'
import { IssuerMetrics } from '../../src/issuer/http/metrics.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { RevocationSources } from '../../src/pki/revocation-sources.ts'
import { createLogger } from '../../src/runtime/logger.ts'
import { CertificateExpiry } from '../../src/tools/validation/certificate-expiry.ts'
import { GrpcStatistics } from '../../src/runtime/grpc/statistics.ts'
import type { LabelValues, Metric } from '../../src/runtime/metrics/metric.ts'
import { MetricsPage } from '../../src/runtime/metrics/page.ts'
import { RequestDurations } from '../../src/runtime/request-durations.ts'
import { signerMetrics } from '../../src/sds/metrics.ts'
import { KeptSpans } from '../../src/runtime/tracing/kept-spans.ts'
import { StateStatistics } from '../../src/state/statistics.ts'
import { supervisorMetrics } from '../../src/workers/metrics.ts'
import { code, codes, table, type ReferencePage } from './markdown.ts'

// The page needs names, not values.
const unread = (): never => {
  throw new Error('no value is read')
}

using expiry = await CertificateExpiry.start({}, () => [])

using revocations = new RevocationSources(systemClock, createLogger('error'))

const COMMON = commonMetrics({
  reloads: new ReloadStatus(systemClock),
  audit: { statistics: unread },
  grpc: new GrpcStatistics(),
})

const SINKS = sinkMetrics({ counts: unread, backlogs: unread, maxBytes: undefined })

const BOTH = [...COMMON, expiry.metric, ...SINKS]

const AUTHZ = authzMetrics({
  checks: new CheckStatistics(),
  credentialCache: { statistics: unread },
  keySets: { statuses: unread },
  tokens: { statistics: unread },
  store: {
    kind: 'memory',
    name: '',
    failure: unread,
    statistics: new StateStatistics(systemClock, unread),
    dropped: unread,
  },
  current: unread,
  clock: systemClock,
})

const SAMPLES = new StateSamples({
  state: {
    records: { countIn: unread },
    attempts: { lockOuts: unread },
  },
  store: {},
  clock: systemClock,
}).metrics

const TRACING = tracingMetrics(unread)
const DURATIONS = [
  new PhaseDurations(systemClock).histogram,
  new RequestDurations(systemClock).histogram,
]

const SIGNER = signerMetrics({
  current: unread,
  resources: { stocks: unread },
  issuances: new IssuanceMetrics(),
  sds: { statistics: unread, unheld: unread },
  spans: new KeptSpans(systemClock),
})

const SUPERVISOR = supervisorMetrics({ count: 0, replacements: 0, running: unread })

/** Every metric of a process of authz. */
export const AUTHZ_METRICS: readonly Metric[] = [
  ...BOTH,
  ...AUTHZ,
  ...TRACING,
  ...new IssuerMetrics().all,
  ...DURATIONS,
  ...revocations.metrics,
  ...SAMPLES,
]

/** Every metric of the signer. */
export const SIGNER_METRICS: readonly Metric[] = [...BOTH, ...SIGNER]

/** The metrics of every Node.js process: name, type, help. */
export const processMetrics = async (): Promise<readonly (readonly string[])[]> => {
  const { body } = await new MetricsPage([], systemClock).render()
  return [...body.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)]
    .map(([, name = '', help = '', type = '']) => [name, type, help])
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
}

/** The page. */
export const metricsPage = async (): Promise<ReferencePage> => ({
  file: 'docs/reference/metrics.md',
  title: 'Metrics',
  from: 'the code that registers them, src/**/metrics.ts',
  body: [
    '`/metrics` of `listen.admin` (authz) and of `admin` (signer), in the text format of Prometheus, or in OpenMetrics where `Accept` requests it. [Health and metrics](../operate/health-and-metrics.md) says how to read them. A counter begins with the start of the process, a series with its first event. No label contains a user, a client, a path or a host of a request.',
    '## authz and signer',
    metricTable(BOTH),
    '## authz',
    metricTable([...AUTHZ, ...DURATIONS, ...revocations.metrics, ...SAMPLES, ...TRACING]),
    '## Logins and tokens of authz as an issuer',
    metricTable(new IssuerMetrics().all),
    '## Several workers of authz',
    '[Run several workers](../operate/workers.md) says how the values of all workers become one page.',
    metricTable(SUPERVISOR),
    '## signer',
    metricTable(SIGNER),
    '## Labels',
    'The `reason` of decisions, logins and certificates is one of the [reason codes](reasons.md). A histogram has the series `_bucket` with the label `le`, `_sum` and `_count`. In OpenMetrics its buckets may have [exemplars](../operate/traces.md#from-a-slow-check-to-its-trace).',
    '## Every Node.js process',
    table(
      ['metric', 'type', 'meaning'],
      (await processMetrics()).map(([name = '', type = '', help = '']) => [code(name), type, help]),
    ),
  ],
})

const metricTable = (metrics: readonly Metric[]): string =>
  table(
    ['metric', 'type', 'labels', 'meaning'],
    metrics.map(({ name, type, labels, help }) => [
      code(name),
      type,
      Object.entries(labels)
        .map(([label, values]) => `${code(label)}: ${valuesText(values)}`)
        .join('; '),
      help,
    ]),
  )

const valuesText = (values: LabelValues): string =>
  typeof values === 'string' ? values : codes(values)

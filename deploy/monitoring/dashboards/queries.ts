// PromQL of the dashboards: every series is that of the namespaces, jobs, pods, instances and routes that the reader has chosen.
// Grafana replaces `$name` (https://grafana.com/docs/grafana/latest/dashboards/variables/).

/** The variables that choose processes, by label. Outside Kubernetes `namespace` and `pod` are absent, which `.*` matches. */
export const PROCESS_LABELS = ['namespace', 'job', 'pod', 'instance'] as const

const chosen = (label: string): string => `${label}=~"$${label}"`

const PROCESS = PROCESS_LABELS.map(chosen)

/** Matches the chosen routes. */
export const ROUTE = chosen('route')

/** Series of Countersign, with further matchers. */
export const series = (metric: string, ...matchers: readonly string[]): string =>
  `${metric}{${[...PROCESS, ...matchers].join(', ')}}`

/** Series of an Envoy: its job has another name than those of Countersign, so `$job` does not choose it. */
export const envoySeries = (metric: string, ...matchers: readonly string[]): string =>
  `${metric}{${[...PROCESS.filter((matcher) => !matcher.startsWith('job')), ...matchers].join(', ')}}`

/** The rate of a counter, a second. */
export const rate = (selected: string): string => `rate(${selected}[$__rate_interval])`

/** By how much a counter has grown in the range that is shown. */
export const grown = (selected: string): string => `increase(${selected}[$__range])`

/** A sum by labels, separated by commas; one number without labels. */
export const sum = (of: string, by = ''): string =>
  by === '' ? `sum(${of})` : `sum by (${by}) (${of})`

/** The same, or 0 where there is no series: a counter begins with its first event. */
export const orZero = (of: string): string => `(${of} or vector(0))`

/** A quotient of sums, as a share between 0 and 1. */
export const share = (part: string, whole: string, by = ''): string =>
  by === '' ? `${orZero(sum(part))} / sum(${whole})` : `${sum(part, by)} / ${sum(whole, by)}`

/** A quantile of a histogram, by labels. */
export const quantile = (of: number, buckets: string, by = ''): string =>
  `histogram_quantile(${of}, ${sum(rate(buckets), by === '' ? 'le' : `le, ${by}`)})`

/** The reasons of refusals that no caller can help: each is answered by 503. */
export const UNAVAILABLE =
  'reason=~"authenticator-unavailable|authorizer-unavailable|transform-unavailable|deadline-exceeded|internal-error|audit-unavailable"'

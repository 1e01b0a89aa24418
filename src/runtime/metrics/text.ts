// Metrics as text: Prometheus' text format 0.0.4, and OpenMetrics 1.0, which has units and exemplars. OpenMetrics' `_created` is
// left out: Prometheus stores it as a series of its own, for each counter and histogram one more.

import { Distribution, type Exemplar } from './distribution.ts'
import type { Metric, Sample } from './metric.ts'

/** The formats. */
export type TextFormat = 'prometheus' | 'openmetrics'

/** The lines of a metric. */
export const textOf = (metric: Metric, format: TextFormat): string => {
  const { name, help, type } = metric
  const isOpen = format === 'openmetrics'
  // In OpenMetrics, a counter's family is named without "_total".
  const family = isOpen && type === 'counter' ? name.replace(/_total$/, '') : name
  const unit = isOpen ? unitOf(family) : undefined
  return [
    `# HELP ${family} ${isOpen ? escaped(help) : escapedHelp(help)}`,
    `# TYPE ${family} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${family} ${unit}`]),
    ...linesOf(metric, isOpen),
    '',
  ].join('\n')
}

/** The unit is the last word of the family's name. */
const unitOf = (family: string): string | undefined => /_(seconds|bytes)$/.exec(family)?.[1]

const linesOf = (metric: Metric, isOpen: boolean): readonly string[] => {
  const { name } = metric
  return metric.type === 'histogram'
    ? [...metric.read()].flatMap((sample) => histogramLines(name, sample, isOpen))
    : [...metric.read()].map(({ labels, value }) => line(name, labelsOf(labels), value))
}

const histogramLines = (
  name: string,
  { labels, value }: Sample<Distribution>,
  isOpen: boolean,
): readonly string[] => {
  const shared = labelsOf(labels)
  const { exemplars } = value
  let total = 0
  const buckets = value.counts.map((count, index) => {
    total += count
    const bound = boundOf(Distribution.bounds[index], isOpen)
    const bucket = line(`${name}_bucket`, [`le="${bound}"`, ...shared], total)
    const exemplar = exemplars[index]
    return isOpen && exemplar !== undefined ? bucket + exemplarOf(exemplar) : bucket
  })
  return [...buckets, line(`${name}_sum`, shared, value.sum), line(`${name}_count`, shared, total)]
}

/** OpenMetrics wants "1.0" for 1, which Prometheus 3 stores in either case. */
const boundOf = (bound: number | undefined, isOpen: boolean): string => {
  if (bound === undefined) return '+Inf'
  return isOpen && Number.isInteger(bound) ? bound.toFixed(1) : String(bound)
}

// Some 60 characters of the 128 that the labels of an exemplar may have.
const exemplarOf = ({ span: { traceId, spanId }, value, at }: Exemplar): string =>
  ` # {trace_id="${traceId}",span_id="${spanId}"} ${numberOf(value)} ${(at / 1_000).toFixed(3)}`

const line = (name: string, labels: readonly string[], value: number): string =>
  `${name}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${numberOf(value)}`

const labelsOf = (labels: Sample<unknown>['labels']): readonly string[] =>
  Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)

const numberOf = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

const escapedHelp = (text: string): string =>
  text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)

const escaped = (text: string): string => escapedHelp(text).replaceAll('"', String.raw`\"`)

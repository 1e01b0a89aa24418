// The page that Prometheus reads. Metrics are plain numbers that are read when the page is written, so that the
// path of a request does not depend on this file.

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { Distribution } from './distribution.ts'
import type { Metric, Sample } from './metric.ts'

/** A text with the values of all metrics, and its media type. */
export interface Exposition {
  readonly type: string
  readonly body: string
}

const OPEN_METRICS = 'application/openmetrics-text'

// A page takes some milliseconds of the event loop that answers checks. Frequent scrapes must not take much of its
// time.
const SAME_PAGE_MS = 100

/** A page while it is the same for all. */
interface Rendering {
  readonly at: number
  readonly text: Promise<string>
  openMetrics?: string
}

/** The metrics of this process: those given, and the default ones of a Node.js process. */
export class MetricsPage {
  readonly #registry = new Registry()
  readonly #clock: Clock
  #last: Rendering | undefined

  constructor(metrics: readonly Metric[], clock: Clock) {
    this.#clock = clock
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    for (const name of UNWANTED) this.#registry.removeSingleMetric(name)
    for (const metric of metrics) void new CountedMetric(metric, registers)
  }

  /**
   * The values now, or a moment ago.
   *
   * @param accept the header of that name: OpenMetrics if it contains that type, else Prometheus' text format
   */
  async render(accept = ''): Promise<Exposition> {
    const rendering = this.#recent()
    const text = await rendering.text
    if (!accept.includes(OPEN_METRICS)) return { type: this.#registry.contentType, body: text }
    rendering.openMetrics ??= toOpenMetrics(text)
    return { type: Registry.OPENMETRICS_CONTENT_TYPE, body: rendering.openMetrics }
  }

  #recent(): Rendering {
    const now = this.#clock.monotonic()
    if (this.#last !== undefined && now - this.#last.at < SAME_PAGE_MS) return this.#last
    this.#last = { at: now, text: this.#registry.metrics() }
    return this.#last
  }
}

// They list every socket and timer of the process, one by one, by functions that Node deprecates;
// and as gauges whose names end in "_total" they are not valid OpenMetrics.
const UNWANTED = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
] as const

/**
 * A metric whose values were counted elsewhere. (prom-client's own metrics take one observation after the other,
 * half a microsecond for each.)
 */
class CountedMetric extends Gauge {
  readonly #metric: Metric

  constructor(metric: Metric, registers: Registry[]) {
    super({ name: metric.name, help: metric.help, registers })
    this.#metric = metric
  }

  /** The registry calls it when it writes its text. */
  getForPromString() {
    const { name, help, type } = this.#metric
    const values =
      this.#metric.type === 'histogram'
        ? [...this.#metric.read()].flatMap(({ labels, value }) => linesOf(name, labels, value))
        : [...this.#metric.read()]
    return { name, help, type, values }
  }
}

const linesOf = (
  name: string,
  sharedLabels: Sample<unknown>['labels'],
  distribution: Distribution,
) => {
  let total = 0
  const buckets = distribution.counts.map((count, index) => {
    total += count
    const le = String(Distribution.bounds[index] ?? '+Inf')
    return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: distribution.sum },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: total },
  ]
}

/**
 * The same text as OpenMetrics 1.0, where a counter's family is named without its "_total". (By
 * prom-client's own way the registry would have no "_total" in Prometheus' text ever after.)
 */
const toOpenMetrics = (text: string): string => {
  const counters = new Set(
    [...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name = '']) => name),
  )
  const described = text.replaceAll(/^# (HELP|TYPE) (\S+)_total /gm, (line, word, name) =>
    counters.has(String(name)) ? `# ${word} ${name} ` : line,
  )
  return `${described.replaceAll(/\n\n+/g, '\n')}# EOF\n`
}

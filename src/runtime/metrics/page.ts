// The page that Prometheus reads. Metrics are plain numbers that are read when the page is written, so that the
// path of a request does not depend on this file.

import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Metric } from './metric.ts'
import { textOf, type TextFormat } from './text.ts'

/** A text with the values of all metrics, and its media type. */
export interface Exposition {
  readonly type: string
  readonly body: string
}

const OPEN_METRICS = 'application/openmetrics-text'

const TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
}

// A page takes some milliseconds of the event loop that answers checks. Frequent scrapes must not take much of its
// time.
const SAME_PAGE_MS = 100

/** A page while it is the same for all. */
interface Rendering {
  readonly at: number
  readonly text: Promise<string>
}

/** The metrics of this process: those given, and the default ones of a Node.js process. */
export class MetricsPage {
  readonly #process = new Registry()
  readonly #metrics: readonly Metric[]
  readonly #clock: Clock
  readonly #last = new Map<TextFormat, Rendering>()

  constructor(metrics: readonly Metric[], clock: Clock) {
    this.#metrics = metrics
    this.#clock = clock
    collectDefaultMetrics({ register: this.#process })
    for (const name of UNWANTED) this.#process.removeSingleMetric(name)
  }

  /**
   * The values now, or a moment ago.
   *
   * @param accept the header of that name: OpenMetrics if it contains that type, else Prometheus' text format
   */
  async render(accept = ''): Promise<Exposition> {
    const format = accept.includes(OPEN_METRICS) ? 'openmetrics' : 'prometheus'
    return { type: TYPES[format], body: await this.#recent(format) }
  }

  async #recent(format: TextFormat): Promise<string> {
    const now = this.#clock.monotonic()
    const last = this.#last.get(format)
    if (last !== undefined && now - last.at < SAME_PAGE_MS) return await last.text
    const text = this.#write(format)
    this.#last.set(format, { at: now, text })
    return await text
  }

  async #write(format: TextFormat): Promise<string> {
    const ofProcess = await this.#process.metrics()
    const own = this.#metrics.map((metric) => textOf(metric, format))
    return format === 'openmetrics'
      ? [toOpenMetrics(ofProcess), ...own, '# EOF\n'].join('')
      : [ofProcess, ...own].join('\n')
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
 * A text of Prometheus' format as it is answered, without exemplars.
 *
 * @param accept the header of that name: OpenMetrics if it contains that type
 */
export const exposition = (text: string, accept: string): Exposition =>
  accept.includes(OPEN_METRICS)
    ? { type: TYPES.openmetrics, body: `${toOpenMetrics(text)}# EOF\n` }
    : { type: TYPES.prometheus, body: text }

/**
 * The text of the registry as OpenMetrics, where a counter's family is named without its "_total". (By
 * prom-client's own way the registry would have no "_total" in Prometheus' text ever after.)
 */
const toOpenMetrics = (text: string): string => {
  const counters = new Set(
    [...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name = '']) => name),
  )
  const described = text.replaceAll(/^# (HELP|TYPE) (\S+)_total /gm, (line, word, name) =>
    counters.has(String(name)) ? `# ${word} ${name} ` : line,
  )
  return described.replaceAll(/\n\n+/g, '\n')
}

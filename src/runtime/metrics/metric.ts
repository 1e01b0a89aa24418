// The metrics of a process, as Prometheus names their kinds. They are plain numbers in memory, some of them on
// the path of every request. prom-client writes them where a listener is configured: importing it costs 22 MB.

import { Distribution } from './distribution.ts'

/**
 * The labels of a series, by name. Their values come from the configuration or from closed lists, never from a
 * request: each new value makes a series that stays.
 */
type Labels<Name extends string = string> = Readonly<Record<Name, string>>

/** A value and its labels; every sample of a metric has the same names of labels. */
export interface Sample<T> {
  readonly labels: Labels
  readonly value: T
}

/** A metric, and how its values are read. Reading must not throw. */
export type Metric = Named &
  (
    | { readonly type: 'counter' | 'gauge'; readonly read: () => Iterable<Sample<number>> }
    | { readonly type: 'histogram'; readonly read: () => Iterable<Sample<Distribution>> }
  )

/** The values that a label may have: a closed list, or in words where they come from. */
export type LabelValues = readonly string[] | string

type LabelDescriptions<Name extends string = string> = Readonly<Record<Name, LabelValues>>

interface Named {
  /** By Prometheus' conventions: base units, `_total` at the end of a counter. */
  readonly name: string
  readonly help: string
  /** Every label that a sample has, for the reference. */
  readonly labels: LabelDescriptions
}

type Read = () => number | Iterable<Sample<number>>

const samplesOf = (read: Read) => (): Iterable<Sample<number>> => {
  const values = read()
  return typeof values === 'number' ? [{ labels: {}, value: values }] : values
}

/** A gauge whose values are read when the metrics are. */
export const gauge = (
  name: string,
  help: string,
  read: Read,
  labels: LabelDescriptions = {},
): Metric => ({
  type: 'gauge',
  name,
  help,
  labels,
  read: samplesOf(read),
})

/** A counter that is counted elsewhere. */
export const counter = (
  name: string,
  help: string,
  read: Read,
  labels: LabelDescriptions = {},
): Metric => ({
  type: 'counter',
  name,
  help,
  labels,
  read: samplesOf(read),
})

/** A histogram whose distributions are elsewhere. */
export const histogram = (
  name: string,
  help: string,
  read: () => Iterable<Sample<Distribution>>,
  labels: LabelDescriptions = {},
): Metric => ({ type: 'histogram', name, help, labels, read })

/** The series of one metric, by their labels. */
class Series<Name extends string, T> {
  readonly #make: () => T
  readonly #series = new Map<string, { readonly labels: Labels<Name>; value: T }>()

  constructor(make: () => T) {
    this.#make = make
  }

  of(labels: Labels<Name>): { value: T } {
    const key = JSON.stringify(labels)
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const series = { labels, value: this.#make() }
    this.#series.set(key, series)
    return series
  }

  readonly read = (): readonly Sample<T>[] => [...this.#series.values()]
}

/** Counts what happens. A series begins with its first count, or with {@link Counter.begin}. */
export class Counter<Name extends string = never> implements Named {
  readonly type = 'counter'
  readonly name: string
  readonly help: string
  readonly labels: LabelDescriptions<Name>
  readonly #series = new Series<Name, number>(() => 0)

  constructor(name: string, help: string, labels: LabelDescriptions<Name>) {
    this.name = name
    this.help = help
    this.labels = labels
  }

  /** Begins series at 0. */
  begin(...series: readonly Labels<Name>[]): this {
    for (const labels of series) this.#series.of(labels)
    return this
  }

  inc(labels: Labels<Name>): void {
    this.#series.of(labels).value += 1
  }

  readonly read = (): readonly Sample<number>[] => this.#series.read()
}

/** Counts durations into the buckets of {@link Distribution}. */
export class Histogram<Name extends string> implements Named {
  readonly type = 'histogram'
  readonly name: string
  readonly help: string
  readonly labels: LabelDescriptions<Name>
  readonly #series = new Series<Name, Distribution>(() => new Distribution())

  constructor(name: string, help: string, labels: LabelDescriptions<Name>) {
    this.name = name
    this.help = help
    this.labels = labels
  }

  /** The distribution of one series, which begins empty. */
  of(labels: Labels<Name>): Distribution {
    return this.#series.of(labels).value
  }

  readonly read = (): readonly Sample<Distribution>[] => this.#series.read()
}

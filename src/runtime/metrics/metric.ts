// A metric as whoever counts describes it: a name, and how its values are read.

import type { Distribution } from './distribution.ts'

/** A value under its labels; every sample of a metric has all of the metric's labels. */
export interface Sample<T> {
  readonly labels: Readonly<Record<string, string>>
  readonly value: T
}

interface Described {
  /** By Prometheus' conventions: base units, `_total` at the end of a counter. */
  readonly name: string
  readonly help: string
  /**
   * Their values come out of the configuration or out of closed lists, never out of a request: each
   * new one is a new series, for ever.
   */
  readonly labels: readonly string[]
}

/** A metric, and how its values now are read. Reading must not throw. */
export type Metric =
  | (Described & {
      readonly type: 'counter' | 'gauge'
      readonly read: () => Iterable<Sample<number>>
    })
  | (Described & {
      readonly type: 'histogram'
      readonly read: () => Iterable<Sample<Distribution>>
    })

/** A gauge of one value. */
export const gauge = (name: string, help: string, value: () => number): Metric => ({
  type: 'gauge',
  name,
  help,
  labels: [],
  read: () => [{ labels: {}, value: value() }],
})

/** A counter of one value. */
export const counter = (name: string, help: string, value: () => number): Metric => ({
  type: 'counter',
  name,
  help,
  labels: [],
  read: () => [{ labels: {}, value: value() }],
})

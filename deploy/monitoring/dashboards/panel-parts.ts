// What panels of several kinds have in common, in Grafana's dashboard JSON.

import type { Link } from './links.ts'

/** A value from which on a colour is shown. */
export type Threshold = readonly [from: number, colour: 'green' | 'yellow' | 'orange' | 'red']

/** What every panel has. */
export interface Described {
  readonly title: string
  /** What it shows, and what to do: the text behind the `i` of the panel. */
  readonly about: string
  /** Columns of 24. */
  readonly width?: number
  /** In units of 30 pixels. */
  readonly height?: number
}

/** What every panel with values has. */
export interface Measured extends Described {
  /** A unit of Grafana, such as `s`, `bytes`, `reqps`, `percentunit`. */
  readonly unit: string
  /** Below the first threshold the colour is green. */
  readonly thresholds?: readonly Threshold[]
  readonly decimals?: number
  readonly max?: number
  /** Where a click on a series leads. */
  readonly links?: readonly Link[]
}

/** Words for values, with their colours. */
export type Words = Readonly<Record<number, readonly [text: string, colour: string]>>

/** A query of a panel. */
export interface Target {
  readonly refId: string
  readonly expr: string
  readonly [key: string]: unknown
}

/** The data source that the reader has chosen. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const

/** Title, description, size and data source. */
export const described = (
  { title, about, width, height }: Described,
  columns: number,
  rows: number,
) => ({
  title,
  description: about,
  width: width ?? columns,
  height: height ?? rows,
  datasource: DATASOURCE,
})

/** Unit, thresholds and links. */
export const measured = ({ unit, decimals, max, thresholds = [], links = [] }: Measured) => ({
  unit,
  ...(decimals === undefined ? {} : { decimals }),
  ...(max === undefined ? {} : { max }),
  ...(links.length === 0 ? {} : { links }),
  thresholds: {
    mode: 'absolute',
    // The value of the first step is that of all values below the second.
    steps: [
      { color: thresholds[0]?.[1] === 'green' ? 'red' : 'green', value: null },
      ...thresholds.map(([value, color]) => ({ color, value })),
    ],
  },
})

/** A query. */
export const target = (expr: string, refId = 'A'): Target => ({
  refId,
  datasource: DATASOURCE,
  expr,
  editorMode: 'code',
  range: true,
})

/** Shows values as words. */
export const mapping = (words: Words) => ({
  type: 'value',
  options: Object.fromEntries(
    Object.entries(words).map(([value, [name, color]], index) => [
      value,
      { text: name, color, index },
    ]),
  ),
})

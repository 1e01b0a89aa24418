// The kinds of panels that the dashboards use, as Grafana's dashboard JSON has them. A panel gets its number and place in
// dashboard.ts.

import {
  described,
  mapping,
  measured,
  target,
  type Described,
  type Measured,
  type Target,
  type Words,
} from './panel-parts.ts'

interface TimeSeries extends Measured {
  /** Expressions, by the legend of their series. */
  readonly queries: Readonly<Record<string, string>>
  readonly stacked?: true
  /** Shows the traces of single requests as points, where Prometheus stores exemplars. */
  readonly exemplars?: true
  /** A scale that shows several powers of ten. */
  readonly logarithmic?: true
}

interface Stat extends Measured {
  readonly query: string
  /** The labels of several values. Default: one value without a name. */
  readonly legend?: string
  /** Values that are shown as words. */
  readonly words?: Words
}

interface Table extends Measured {
  readonly query: string
  /** Columns: the labels and their titles, in their order. */
  readonly columns: Readonly<Record<string, string>>
  /** The title of the column of the value. Absent: the value is not shown. */
  readonly value?: string
  /** Lowest values first. Default: highest first. */
  readonly ascending?: true
}

interface Heatmap extends Described {
  readonly unit: string
  /** Rates of buckets, by `le`. */
  readonly query: string
}

interface Timeline extends Described {
  readonly query: string
  readonly legend: string
  readonly words: Words
}

/** A panel of Grafana without its number and place. */
export interface Panel {
  readonly type: 'timeseries' | 'stat' | 'table' | 'heatmap' | 'state-timeline' | 'text'
  readonly title: string
  readonly description: string
  readonly width: number
  readonly height: number
  readonly targets?: readonly Target[]
  readonly [key: string]: unknown
}

/** Lines over time. */
export const timeSeries = (panel: TimeSeries): Panel => ({
  type: 'timeseries',
  ...described(panel, 8, 8),
  fieldConfig: {
    defaults: {
      ...measured(panel),
      min: 0,
      color: { mode: 'palette-classic' },
      custom: {
        drawStyle: 'line',
        lineWidth: 1,
        fillOpacity: panel.stacked === true ? 40 : 8,
        showPoints: 'never',
        spanNulls: false,
        stacking: { mode: panel.stacked === true ? 'normal' : 'none', group: 'A' },
        thresholdsStyle: { mode: panel.thresholds === undefined ? 'off' : 'dashed' },
        scaleDistribution:
          panel.logarithmic === true ? { type: 'log', log: 10 } : { type: 'linear' },
      },
    },
    overrides: [],
  },
  options: {
    legend: {
      showLegend: true,
      displayMode: 'table',
      placement: 'bottom',
      calcs: ['lastNotNull', 'max'],
    },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  targets: Object.entries(panel.queries).map(([legend, expr], index) => ({
    ...target(expr, String.fromCodePoint(65 + index)),
    legendFormat: legend,
    ...(panel.exemplars === true ? { exemplar: true } : {}),
  })),
})

/** The last value, large. */
export const stat = (panel: Stat): Panel => ({
  type: 'stat',
  ...described(panel, 4, 4),
  fieldConfig: {
    defaults: {
      ...measured(panel),
      color: { mode: 'thresholds' },
      mappings: panel.words === undefined ? [] : [mapping(panel.words)],
    },
    overrides: [],
  },
  options: {
    colorMode: panel.thresholds === undefined && panel.words === undefined ? 'value' : 'background',
    graphMode: panel.words === undefined ? 'area' : 'none',
    justifyMode: 'auto',
    orientation: 'auto',
    percentChangeColorMode: 'standard',
    showPercentChange: false,
    textMode: 'auto',
    wideLayout: true,
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  },
  targets: [{ ...target(panel.query), legendFormat: panel.legend ?? panel.title }],
})

/** The values of now, a row for each series. */
export const table = (panel: Table): Panel => ({
  type: 'table',
  ...described(panel, 12, 8),
  fieldConfig: {
    defaults: { ...measured(panel), custom: { align: 'auto', filterable: true, inspect: false } },
    overrides:
      panel.thresholds === undefined
        ? []
        : [
            {
              matcher: { id: 'byName', options: panel.value },
              properties: [
                { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
              ],
            },
          ],
  },
  options: {
    frameIndex: 0,
    showHeader: true,
    cellHeight: 'sm',
    sortBy:
      panel.value === undefined
        ? []
        : [{ displayName: panel.value, desc: panel.ascending !== true }],
  },
  targets: [{ ...target(panel.query), instant: true, range: false, format: 'table' }],
  transformations: [columnsOf(panel)],
})

/** How often there was which duration. */
export const heatmap = (panel: Heatmap): Panel => ({
  type: 'heatmap',
  ...described(panel, 12, 8),
  fieldConfig: {
    defaults: { custom: { hideFrom: { legend: false, tooltip: false, viz: false } } },
    overrides: [],
  },
  options: {
    calculate: false,
    cellGap: 1,
    cellValues: { unit: 'reqps' },
    color: {
      mode: 'scheme',
      scheme: 'Oranges',
      fill: 'dark-orange',
      scale: 'exponential',
      exponent: 0.5,
      steps: 64,
      reverse: false,
    },
    exemplars: { color: 'rgba(255,0,255,0.7)' },
    filterValues: { le: 1e-9 },
    legend: { show: true },
    rowsFrame: { layout: 'auto' },
    showValue: 'never',
    tooltip: { mode: 'single', yHistogram: true, showColorScale: true },
    yAxis: { axisPlacement: 'left', unit: panel.unit, reverse: false },
  },
  targets: [{ ...target(panel.query), format: 'heatmap', legendFormat: '{{le}}' }],
})

/** States over time. */
export const timeline = (panel: Timeline): Panel => ({
  type: 'state-timeline',
  ...described(panel, 12, 8),
  fieldConfig: {
    defaults: {
      color: { mode: 'thresholds' },
      custom: { fillOpacity: 70, lineWidth: 0, spanNulls: false },
      mappings: [mapping(panel.words)],
    },
    overrides: [],
  },
  options: {
    alignValue: 'left',
    legend: { showLegend: false, displayMode: 'list', placement: 'bottom', calcs: [] },
    mergeValues: true,
    rowHeight: 0.8,
    showValue: 'auto',
    tooltip: { mode: 'single', sort: 'none' },
  },
  targets: [{ ...target(panel.query), legendFormat: panel.legend }],
})

/** Markdown. */
export const text = (title: string, content: string, width = 24, height = 2): Panel => ({
  type: 'text',
  title,
  description: '',
  width,
  height,
  options: { mode: 'markdown', content },
})

/** Keeps the columns of the table, with their titles; labels that it does not name are hidden. */
const columnsOf = ({ columns, value }: Table) => {
  const named = { ...columns, ...(value === undefined ? {} : { Value: value }) }
  return {
    id: 'organize',
    options: {
      excludeByName: { Time: true, ...(value === undefined ? { Value: true } : {}) },
      indexByName: Object.fromEntries(Object.keys(named).map((name, index) => [name, index])),
      renameByName: named,
    },
  }
}

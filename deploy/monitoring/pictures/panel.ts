// A panel of a dashboard as the pictures need it, and what Prometheus answered to its queries.

import { z } from 'zod'

/** A panel in Grafana’s JSON, as far as it is drawn. */
const panelSchema = z.looseObject({
  id: z.int(),
  type: z.enum(['row', 'timeseries', 'stat', 'table', 'heatmap', 'state-timeline', 'text']),
  title: z.string().default(''),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  fieldConfig: z
    .object({
      defaults: z.looseObject({
        unit: z.string().default('none'),
        max: z.number().optional(),
        thresholds: z
          .object({ steps: z.array(z.object({ color: z.string(), value: z.number().nullable() })) })
          .default({ steps: [] }),
        mappings: z
          .array(
            z.object({
              options: z.record(z.string(), z.object({ text: z.string(), color: z.string() })),
            }),
          )
          .default([]),
        custom: z
          .looseObject({
            stacking: z.object({ mode: z.string() }).optional(),
            thresholdsStyle: z.object({ mode: z.string() }).optional(),
            scaleDistribution: z.object({ type: z.string() }).optional(),
          })
          .default({}),
      }),
    })
    .default({ defaults: { unit: 'none', thresholds: { steps: [] }, mappings: [], custom: {} } }),
  options: z
    .looseObject({
      content: z.string().optional(),
      yAxis: z.looseObject({ unit: z.string() }).optional(),
    })
    .default({}),
  transformations: z
    .array(z.object({ options: z.object({ renameByName: z.record(z.string(), z.string()) }) }))
    .default([]),
  targets: z
    .array(z.looseObject({ expr: z.string(), legendFormat: z.string().default('') }))
    .default([]),
})

/** One panel. */
export type DrawnPanel = z.infer<typeof panelSchema>

/** A dashboard in Grafana’s JSON. */
export const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  panels: z.array(panelSchema),
})

/** A series over time; its name is that of the legend. */
export interface DrawnSeries {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly values: readonly (readonly [time: number, value: number])[]
}

/** The time that is drawn, in seconds. */
export interface Range {
  readonly start: number
  readonly end: number
  readonly step: number
}

/** The last number of a series. */
export const lastOf = ({ values }: DrawnSeries): number =>
  values.findLast(([, value]) => Number.isFinite(value))?.[1] ?? Number.NaN

/** The largest number of a series. */
export const mostOf = ({ values }: DrawnSeries): number =>
  values.reduce((most, [, value]) => (Number.isFinite(value) ? Math.max(most, value) : most), 0)

/** The name of a series, by the template of the legend. */
export const nameOf = (legend: string, labels: Readonly<Record<string, string>>): string =>
  legend.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => labels[label] ?? '').trim()

/** The colour of a value, by thresholds. */
export const colourOf = (panel: DrawnPanel, value: number): string =>
  panel.fieldConfig.defaults.thresholds.steps.findLast(
    (step) => step.value === null || value >= step.value,
  )?.color ?? 'green'

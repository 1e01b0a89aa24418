// The queries of the dashboards, as Grafana sends them for a reader who has chosen the processes of the site.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { Prometheus } from '../../servers/prometheus.ts'

/** Where the dashboards and the alert rules are. */
export const FOLDER = resolve(
  import.meta.dirname,
  '../../../deploy/kubernetes/chart/files/monitoring',
)

const panelSchema = z.looseObject({
  type: z.string(),
  title: z.string().default(''),
  targets: z
    .array(z.looseObject({ expr: z.string(), legendFormat: z.string().default('') }))
    .default([]),
})
const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  panels: z.array(panelSchema),
  templating: z.object({
    list: z.array(
      z.looseObject({ name: z.string(), type: z.string(), definition: z.string().default('') }),
    ),
  }),
  annotations: z.object({ list: z.array(z.looseObject({ expr: z.string().optional() })) }),
})

/** A dashboard of Grafana, as far as it is read here. */
export type ReadDashboard = z.infer<typeof dashboardSchema>
/** One of its panels. */
export type ReadPanel = z.infer<typeof panelSchema>

/** All of them. */
export const dashboards: readonly ReadDashboard[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => dashboardSchema.parse(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))))

// With the labels that the targets of the site have: a matcher of another label would find nothing.
const CHOSEN: Readonly<Record<string, string>> = {
  namespace: 'edge',
  job: 'countersign-authz|countersign-signer',
  pod: 'authz-0|envoy-0',
  __rate_interval: '15s',
  __range: '1m',
}

/** An expression with the variables of Grafana replaced; what is not chosen is `All`. */
export const filledIn = (expression: string): string =>
  expression.replaceAll(/\$(\w+)/g, (_all, name: string) => CHOSEN[name] ?? '.*')

const rangeSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
})

/** A series and its values over time: seconds, and numbers that may be NaN. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly values: readonly (readonly [time: number, value: number])[]
}

/** The series of an expression over time. */
export const seriesOf = async (
  prometheus: Prometheus,
  expression: string,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
): Promise<readonly Series[]> => {
  const query = new URLSearchParams({
    query: filledIn(expression),
    start: String(start),
    end: String(end),
    step: String(step),
  })
  const answer = await prometheus.get(`/api/v1/query_range?${query.toString()}`)
  const parsed = rangeSchema.safeParse(answer)
  if (!parsed.success) throw new Error(`${filledIn(expression)}: ${JSON.stringify(answer)}`)
  return parsed.data.data.result.map(({ metric, values }) => ({
    labels: metric,
    values: values.map(([time, value]) => [time, Number(value)]),
  }))
}

const selectorSchema = z.object({
  name: z.string(),
  matchers: z.array(z.object({ name: z.string() })),
})

/** A selector of an expression. */
type Selector = z.infer<typeof selectorSchema>

/** What an expression reads: its selectors, and the labels that it groups by or joins on. */
export interface Reads {
  readonly selectors: readonly Selector[]
  readonly labels: readonly string[]
}

/** By Prometheus' own parser. */
export const readsOf = async (prometheus: Prometheus, expression: string): Promise<Reads> => {
  const query = new URLSearchParams({ query: filledIn(expression) })
  const answer = await prometheus.get(`/api/v1/parse_query?${query.toString()}`)
  const { data } = z.object({ status: z.literal('success'), data: z.unknown() }).parse(answer)
  const selectors: Selector[] = []
  const labels: string[] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('type' in node && (node.type === 'vectorSelector' || node.type === 'matrixSelector')) {
      selectors.push(selectorSchema.parse(node))
    }
    if ('grouping' in node) labels.push(...z.array(z.string()).parse(node.grouping))
    Object.values(node).forEach(walk)
  }
  walk(data)
  return { selectors, labels }
}

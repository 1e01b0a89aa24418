// Links between the dashboards, which keep the range of time and what the reader has chosen.

import { PROCESS_LABELS } from './queries.ts'

/** The dashboards, by the ends of their identifiers. */
export type DashboardName =
  | 'requests'
  | 'latency'
  | 'credentials'
  | 'logins'
  | 'certificates'
  | 'dependencies'
  | 'runtime'

/** A link of a panel or of a value. */
export interface Link {
  readonly title: string
  readonly url: string
}

/** The identifier of a dashboard: it is in its address, so it stays. */
export const uidOf = (name: DashboardName): string => `countersign-${name}`

/**
 * A link to a dashboard.
 *
 * @param variables variables of it whose values are labels of the series, or columns of the row: name → label
 * @param from whether these are labels of a series or columns of a table
 */
export const linkTo = (
  name: DashboardName,
  title: string,
  variables: Readonly<Record<string, string>> = {},
  from: 'series' | 'row' = 'series',
): Link => {
  const kept = ['datasource', ...PROCESS_LABELS, 'route'].filter(
    (variable) => !(variable in variables),
  )
  const query = [
    '${__url_time_range}',
    ...kept.map((variable) => `\${${variable}:queryparam}`),
    ...Object.entries(variables).map(([variable, label]) =>
      from === 'series'
        ? `var-${variable}=\${__field.labels.${label}}`
        : `var-${variable}=\${__data.fields["${label}"]}`,
    ),
  ]
  return { title, url: `/d/${uidOf(name)}?${query.join('&')}` }
}

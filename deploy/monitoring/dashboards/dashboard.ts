// A dashboard as Grafana imports it: sections of panels, put into rows of 24 columns, with the variables, links and annotations
// that all of them have.

import { uidOf, type DashboardName } from './links.ts'
import { DATASOURCE } from './panel-parts.ts'
import type { Panel } from './panels.ts'
import { PROCESS_LABELS, series } from './queries.ts'

/** What a dashboard is made of. */
export interface Dashboard {
  readonly name: DashboardName
  readonly title: string
  /** The question that it answers. */
  readonly about: string
  /** Variables that other dashboards do not have: the values of a label of a metric. */
  readonly variables?: readonly Variable[]
  readonly sections: readonly Section[]
}

/** A variable. */
interface Variable {
  /** Also the name of the label. */
  readonly name: string
  readonly label: string
  readonly metric: string
}

/** Panels under a heading. */
export interface Section {
  readonly title: string
  readonly panels: readonly Panel[]
}

// The newest that Grafana 10.4 knows. Later ones migrate it: the versions up to 42 change nothing that is used here.
const SCHEMA_VERSION = 39
const COLUMNS = 24

/** Grafana's JSON. */
export const dashboardJson = ({ name, title, about, variables = [], sections }: Dashboard) => ({
  uid: uidOf(name),
  title: `Countersign / ${title}`,
  description: about,
  tags: ['countersign'],
  schemaVersion: SCHEMA_VERSION,
  version: 1,
  editable: true,
  graphTooltip: 1, // a crosshair in every panel
  timezone: 'browser',
  refresh: '30s',
  time: { from: 'now-1h', to: 'now' },
  timepicker: {},
  links: [
    {
      type: 'dashboards',
      title: 'Countersign',
      tags: ['countersign'],
      asDropdown: false,
      includeVars: true,
      keepTime: true,
      targetBlank: false,
      icon: 'external link',
      tooltip: '',
    },
  ],
  templating: { list: [...VARIABLES, ...variables.map(variable)] },
  annotations: { list: ANNOTATIONS },
  panels: placed(sections),
})

const variable = ({ name, label, metric }: Variable) => {
  const query = `label_values(${metric}, ${name})`
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: query,
    query: { qryType: 1, query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    refresh: 2, // with the range of time
    sort: 1,
    multi: true,
    includeAll: true,
    // Matches series without the label too.
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
    options: [],
  }
}

const LABELS = { namespace: 'Namespace', job: 'Job', pod: 'Pod', instance: 'Instance' } as const

const VARIABLES = [
  {
    name: 'datasource',
    label: 'Prometheus',
    type: 'datasource',
    query: 'prometheus',
    current: { selected: true, text: 'default', value: 'default' },
    options: [],
    refresh: 1,
    multi: false,
    includeAll: false,
  },
  // Each offers what those before it leave.
  ...PROCESS_LABELS.map((label, index) => {
    const before = PROCESS_LABELS.slice(0, index).map((one) => `${one}=~"$${one}"`)
    return variable({
      name: label,
      label: LABELS[label],
      metric: `countersign_build_info{${before.join(', ')}}`,
    })
  }),
  variable({ name: 'route', label: 'Route', metric: series('countersign_decisions_total') }),
]

const annotation = (name: string, iconColor: string, expr: string, texts: object) => ({
  name,
  enable: true,
  hide: false,
  iconColor,
  datasource: DATASOURCE,
  expr,
  ...texts,
})

const ANNOTATIONS = [
  {
    builtIn: 1,
    datasource: { type: 'grafana', uid: '-- Grafana --' },
    enable: true,
    hide: true,
    iconColor: 'rgba(0, 211, 255, 1)',
    name: 'Annotations & Alerts',
    type: 'dashboard',
  },
  annotation(
    'Alerts',
    'red',
    'ALERTS{alertname=~"Countersign.*", alertstate="firing", namespace=~"$namespace"}',
    {
      titleFormat: '{{alertname}}',
      textFormat: '{{severity}} {{instance}}',
      tagKeys: 'severity',
      step: '60s',
    },
  ),
  annotation(
    'Configuration loaded',
    'blue',
    `max by (instance) (${series('countersign_config_last_reload_success_timestamp_seconds')}) * 1000`,
    {
      titleFormat: 'Configuration loaded',
      textFormat: '{{instance}}',
      useValueForTime: true,
      step: '60s',
    },
  ),
]

/** Numbers and places: from left to right, in a new line where a panel does not fit. */
const placed = (sections: readonly Section[]) => {
  let id = 0
  let y = 0
  return sections.flatMap(({ title, panels }) => {
    id += 1
    const row = {
      id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    }
    y += 1
    let x = 0
    let line = 0
    const placedPanels = panels.map(({ width, height, ...panel }) => {
      if (x + width > COLUMNS) {
        y += line
        x = 0
        line = 0
      }
      id += 1
      const gridPos = { x, y, w: width, h: height }
      x += width
      line = Math.max(line, height)
      return { id, ...panel, gridPos }
    })
    y += line
    return [row, ...placedPanels]
  })
}

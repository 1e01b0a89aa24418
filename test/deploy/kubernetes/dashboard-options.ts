// Values of the chart for Grafana and for the alerts of the Prometheus Operator, and what they render.

import { dashboardFiles } from '../../../deploy/monitoring/dashboards/index.ts'
import type { Option } from './option.ts'

/** Dashboards and alerts. */
export const DASHBOARD_OPTIONS: readonly Option[] = [
  {
    name: 'dashboards for the sidecar of Grafana, in its namespace, and the alerts as a PrometheusRule',
    values: {
      monitoring: {
        dashboards: {
          enabled: true,
          labels: { grafana_dashboard: 'yes' },
          annotations: { grafana_folder: 'Countersign' },
          namespace: 'default',
        },
        rules: { enabled: true, labels: { release: 'prometheus' } },
      },
    },
    has: [
      ...dashboardFiles().map(({ name, contents }) => ({
        kind: 'ConfigMap',
        metadata: {
          name: `${name.replace('.json', '')}-dashboard`,
          namespace: 'default',
          labels: { grafana_dashboard: 'yes' },
          annotations: { grafana_folder: 'Countersign' },
        },
        data: { [name]: contents },
      })),
      {
        kind: 'PrometheusRule',
        metadata: { name: 'countersign', labels: { release: 'prometheus' } },
        spec: { groups: [{ name: 'countersign' }] },
      },
    ],
  },
]

// The values of the chart about monitoring and `helm test`.

import { z } from 'zod'
import { kubernetesObjects, labels, port, resources } from './common.ts'

/** Monitors of one kind. */
const monitor = (description: string) =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Whether there are any. Prometheus must be in `networkPolicy.metrics`.'),
      labels: labels.describe('Labels by which Prometheus selects them.'),
      interval: z
        .string()
        .regex(/^([1-9][0-9]*(ms|s|m|h))?$/)
        .default('')
        .describe('How often metrics are read, such as 30s. Empty: as Prometheus is configured.'),
      relabelings: kubernetesObjects
        .default([])
        .describe('RelabelConfigs of the pods, before metrics are read.'),
      metricRelabelings: kubernetesObjects.default([]).describe('RelabelConfigs of the metrics.'),
    })
    .prefault({})
    .describe(description)

const traces = z
  .strictObject({
    endpoint: z
      .string()
      .regex(/^(https?:\/\/[^@\s]+)?$/)
      .default('')
      .describe(
        'The OpenTelemetry collector, such as http://collector.observability:4318/v1/traces. Empty: none are sent.',
      ),
    protocol: z
      .enum(['http/protobuf', 'grpc'])
      .default('http/protobuf')
      .describe('The transport of OTLP.'),
  })
  .prefault({})
  .describe(
    'Where it sends the spans of the signer. The collector must be in `networkPolicy.tracing`.',
  )

/** `monitoring`. */
export const monitoringSchema = z
  .strictObject({
    podMonitor: monitor('PodMonitors (monitoring.coreos.com/v1): for authz, and for `exporter`.'),
    serviceMonitor: monitor(
      'ServiceMonitors (monitoring.coreos.com/v1) in place of PodMonitors, each with a headless Service of its own.',
    ),
    dashboards: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Whether there are any.'),
        labels: z
          .record(z.string(), z.string())
          .default({ grafana_dashboard: '1' })
          .describe('Labels by which the sidecar of Grafana selects them.'),
        annotations: labels.describe('Such as grafana_folder, the folder in Grafana.'),
        namespace: z
          .string()
          .default('')
          .describe(
            'The namespace of the ConfigMaps. Empty: that of the release; the sidecar may read that of Grafana only.',
          ),
      })
      .prefault({})
      .describe('Seven dashboards, each in a ConfigMap, for the sidecar of Grafana (10 or later).'),
    rules: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Whether there is one.'),
        labels: labels.describe('Labels by which Prometheus selects it.'),
      })
      .prefault({})
      .describe('A PrometheusRule (monitoring.coreos.com/v1) with the alerts.'),
    exporter: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Whether there is one.'),
        port: port.default(9091).describe('Its port.'),
        traces,
        resources: resources({ cpu: '10m', memory: '96Mi' }, '192Mi'),
      })
      .prefault({})
      .describe(
        'A container without keys in each pod of Envoy, which lets Prometheus read /metrics of the signer and /stats/prometheus of Envoy: both are on UNIX sockets. `podMonitor` and `serviceMonitor` include it. The admin address of your own `envoy.bootstrap` must then be /tmp/envoy-admin.sock.',
      ),
  })
  .prefault({})
  .describe('For the Prometheus Operator, which must be installed, and for Grafana.')

/** `helmTest`. */
export const helmTestSchema = z
  .strictObject({
    host: z
      .string()
      .default('')
      .describe('The host of the request. Empty: that of the first route that names one.'),
    path: z.string().regex(/^\//).default('/').describe('The path of the request.'),
    status: z
      .int()
      .min(400)
      .max(499)
      .default(401)
      .describe('The status with which the request must be refused; 403 while `config` is empty.'),
  })
  .prefault({})
  .describe(
    'What `helm test` sends to Envoy without a credential, after each authz said that it is ready.',
  )

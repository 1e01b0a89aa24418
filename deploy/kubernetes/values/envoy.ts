// The values of the chart about Envoy and its sidecar, the signer.

import { z } from 'zod'
import {
  auditKey,
  autoscaling,
  configMaps,
  disruptionBudget,
  environment,
  extraVolumeMounts,
  image,
  kubernetesObject,
  labels,
  name,
  port,
  replicas,
  resources,
  seconds,
  secrets,
  user,
  workload,
} from './common.ts'

/** `envoy`. */
export const envoySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether the chart runs Envoy. Without: for an Istio gateway, or your own Envoy.'),
    replicas,
    autoscaling,
    podDisruptionBudget: disruptionBudget,
    image: z
      .strictObject(image('envoyproxy/envoy', 'distroless-v1.40.0'))
      .prefault({})
      .describe('A stock Envoy, 1.40 or later.'),
    bootstrap: z
      .string()
      .default('')
      .describe(
        'Envoy’s configuration as `countersign envoy generate` wrote it (--set-file); it is linted before Envoy starts. Empty: an init container generates it.',
      ),
    port: port.default(8443).describe('The port that callers connect to, in the pod.'),
    tls: z
      .strictObject({
        secret: name
          .default('countersign-edge-tls')
          .describe('The Secret with tls.crt and tls.key, which callers see.'),
        clientCa: name
          .or(z.literal(''))
          .default('')
          .describe(
            'The ConfigMap with ca.crt, the CAs of callers’ certificates. Empty: Envoy does not request a client certificate.',
          ),
      })
      .prefault({})
      .describe('TLS between callers and Envoy.'),
    authzTls: z
      .strictObject({
        secret: name
          .default('countersign-envoy-tls')
          .describe(
            'The Secret with tls.crt, tls.key (Envoy’s client certificate) and ca.crt (the CA of the certificate of authz).',
          ),
      })
      .prefault({})
      .describe('Envoy’s side of `authz.tls`.'),
    secrets,
    configMaps,
    concurrency: z.int().min(1).default(2).describe('Worker threads of each Envoy.'),
    drainSeconds: seconds(300)
      .default(20)
      .describe(
        'How long a terminating pod continues to serve, so that the load balancer can stop using it.',
      ),
    service: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Whether there is a Service for callers.'),
        type: z
          .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
          .default('ClusterIP')
          .describe('LoadBalancer publishes Envoy outside of the cluster.'),
        port: z.int().min(1).max(65_535).default(443).describe('The port of the Service.'),
        externalTrafficPolicy: z
          .enum(['Local', 'Cluster'])
          .default('Local')
          .describe(
            'Local keeps the addresses of callers, which lock-outs and the audit log need.',
          ),
        annotations: labels.describe('Annotations of the Service, for the load balancer.'),
      })
      .prefault({})
      .describe('Where callers find Envoy.'),
    user: user(10_003),
    resources: resources({ cpu: '250m', memory: '256Mi' }, '1280Mi'),
    ...workload,
  })
  .prefault({})
  .describe('Envoy, which callers connect to.')

/** `signer`. */
export const signerSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Whether each Envoy has a signer as a sidecar; needed where a route forwards a certificate.',
      ),
    config: kubernetesObject
      .default({})
      .describe(
        'signer.yaml: authorities, log. The chart writes version, listen and keyring, and admin where `monitoring.exporter` is enabled.',
      ),
    auditKey,
    secrets,
    user: user(10_002),
    resources: resources({ cpu: '50m', memory: '128Mi' }, '256Mi'),
    ...environment,
    extraVolumeMounts: extraVolumeMounts.describe(
      'VolumeMounts of the container, of `envoy.extraVolumes`.',
    ),
  })
  .prefault({})
  .describe('The signer, a sidecar of Envoy that is reached by a socket alone.')

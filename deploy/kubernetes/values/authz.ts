// The values of the chart about authz.

import { z } from 'zod'
import { MOST_WORKERS } from '../../../src/configuration/workers-schema.ts'
import {
  auditKey,
  autoscaling,
  configMaps,
  disruptionBudget,
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

/** `authz`. */
export const authzSchema = z
  .strictObject({
    replicas,
    workers: z
      .int()
      .min(1)
      .max(MOST_WORKERS)
      .default(1)
      .describe(
        'How many processes each pod has (`workers` of countersign.yaml); one process uses one core. Each has ports of its own: the next ones after `port` and `issuerPort`. They share `resources`: some 130 MB for their supervisor, and what one process needs for each. More than one needs `state.kind` sqlite or redis where logins, lock-outs or DPoP proofs are counted.',
      ),
    autoscaling,
    podDisruptionBudget: disruptionBudget,
    port: port.default(9001).describe('The port of ext_authz (gRPC).'),
    issuerPort: port
      .default(8081)
      .describe('The port of the issuer, which listens where the configuration has an "issuer".'),
    adminPort: port
      .default(9090)
      .describe('The port of /livez, /readyz and /metrics, for the kubelet and for Prometheus.'),
    tls: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe(
            'Mutual TLS between Envoy and authz, for ext_authz and for the issuer. Without it passwords cross the pod network in clear text, and logins are refused: the issuer trusts Envoy’s statements about a caller only over mutual TLS.',
          ),
        secret: name
          .default('countersign-authz-tls')
          .describe(
            'The Secret with tls.crt, tls.key (of authz, for the name of its Service) and ca.crt (the CA of Envoy’s certificate).',
          ),
      })
      .prefault({})
      .describe('How Envoy and authz authenticate to each other.'),
    auditKey,
    secrets,
    configMaps,
    env: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(/^[A-Z_][A-Z0-9_]*$/)
            .describe('The environment variable.'),
          secret: name.describe('The Secret that has its value.'),
          key: z.string().min(1).describe('The key in the Secret.'),
        }),
      )
      .default([])
      .describe('Environment variables from Secrets, for references such as env:LDAP_PASSWORD.'),
    drainSeconds: seconds(300)
      .default(15)
      .describe('How long a terminating pod continues to serve, so that Envoy can stop using it.'),
    service: z
      .strictObject({ annotations: labels.describe('Its annotations.') })
      .prefault({})
      .describe('The headless Service by which Envoy finds the pods.'),
    user: user(10_001),
    resources: resources({ cpu: '250m', memory: '192Mi' }, '512Mi'),
    ...workload,
  })
  .prefault({})
  .describe('The ext_authz service.')

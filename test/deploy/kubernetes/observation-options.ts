// Values of the chart for traces and for the proof of the audit log, and what objects have by them.

import { pod, type Option } from './option.ts'

const COLLECTOR = [{ namespaceSelector: { matchLabels: { name: 'tracing' } } }]

const OTLP = 'http://collector.tracing.svc:4318/v1/traces'

/** A NetworkPolicy with the way to a collector. */
const toCollector = (part: 'authz' | 'envoy') => ({
  kind: 'NetworkPolicy',
  metadata: { name: `countersign-${part}` },
  spec: {
    egress: [
      {},
      ...(part === 'envoy' ? [{}] : []),
      { to: COLLECTOR, ports: [{ protocol: 'TCP', port: 4318 }] },
    ],
  },
})

/** The options. */
export const OBSERVATION_OPTIONS: readonly Option[] = [
  {
    name: 'a way to the collector for authz and Envoy, where requests are traced',
    values: {
      config: { tracing: { otlp: { endpoint: OTLP } } },
      networkPolicy: { tracing: { to: COLLECTOR, ports: [4318] } },
    },
    has: [toCollector('authz'), toCollector('envoy')],
  },
  {
    name: 'the keys of the audit logs, each in the pods that sign with it',
    values: {
      authz: { auditKey: { secret: 'authz-audit' } },
      signer: {
        enabled: true,
        auditKey: { secret: 'signer-audit', file: 'signing.pem' },
        config: { authorities: { kube: { certificate: '/ca.crt', key: 'file:/ca.key' } } },
      },
    },
    has: [
      pod('authz', {
        volumes: [{ secret: { secretName: 'authz-audit', defaultMode: 0o440 } }],
        containers: [
          { volumeMounts: [{ mountPath: '/etc/countersign/secrets/authz-audit', readOnly: true }] },
        ],
      }),
      pod('envoy', {
        volumes: [{ secret: { secretName: 'signer-audit', defaultMode: 0o440 } }],
      }),
    ],
  },
]

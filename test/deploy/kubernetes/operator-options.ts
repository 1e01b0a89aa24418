// Values of the chart that need cert-manager or the Prometheus Operator, and what they render.

import { SELECTED, type Option } from './option.ts'

const KEY = { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' }
const OWN_CA = { name: 'countersign-internal-ca', kind: 'Issuer', group: 'cert-manager.io' }

const certificate = (part: string, spec: object) => ({
  kind: 'Certificate',
  metadata: { name: `countersign-${part}` },
  spec: { privateKey: KEY, ...spec },
})

const ROUTES = ['kube.example.org', '*.apps.example.org'].map((host, index) => ({
  name: `route-${index}`,
  match: { hosts: [host] },
  upstream: 'app',
  authenticate: ['staff'],
  authorize: [{ allow: 'everyone' }],
}))

const CERTIFICATES: readonly Option[] = [
  {
    name: 'certificates of a CA of its own',
    values: { certManager: { enabled: true } },
    has: [
      {
        kind: 'Issuer',
        metadata: { name: 'countersign-self-signed' },
        spec: { selfSigned: {} },
      },
      {
        kind: 'Certificate',
        metadata: { name: 'countersign-internal-ca' },
        spec: {
          isCA: true,
          secretName: 'countersign-internal-ca',
          privateKey: { rotationPolicy: 'Never' },
          issuerRef: { name: 'countersign-self-signed', kind: 'Issuer' },
        },
      },
      {
        kind: 'Issuer',
        metadata: { name: 'countersign-internal-ca' },
        spec: { ca: { secretName: 'countersign-internal-ca' } },
      },
      certificate('authz', {
        secretName: 'countersign-authz-tls',
        usages: ['digital signature', 'server auth'],
        issuerRef: OWN_CA,
      }),
      certificate('envoy', {
        secretName: 'countersign-envoy-tls',
        usages: ['digital signature', 'client auth'],
        issuerRef: OWN_CA,
      }),
      certificate('edge', {
        secretName: 'countersign-edge-tls',
        usages: ['digital signature', 'server auth'],
        issuerRef: OWN_CA,
      }),
    ],
  },
  {
    name: 'certificates of issuers that exist, for the hosts of the routes',
    values: {
      config: {
        authenticators: { staff: { basic: { verify: [{ users: { file: '/users.yaml' } }] } } },
        routes: ROUTES,
        issuer: { url: 'https://id.example.org', keys: '/keys' },
      },
      certManager: {
        enabled: true,
        internal: { issuerRef: { name: 'mesh' }, duration: '24h', renewBefore: '8h' },
        edge: { issuerRef: { name: 'public' } },
      },
    },
    has: [
      certificate('authz', {
        duration: '24h',
        renewBefore: '8h',
        issuerRef: { name: 'mesh', kind: 'Issuer', group: 'cert-manager.io' },
      }),
      certificate('edge', {
        dnsNames: ['kube.example.org', '*.apps.example.org', 'id.example.org'],
        duration: '2160h',
        issuerRef: { name: 'public', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      }),
    ],
  },
  {
    name: 'a certificate of Envoy for listed names',
    values: { certManager: { enabled: true, edge: { dnsNames: ['www.example.org'] } } },
    has: [certificate('edge', { dnsNames: ['www.example.org'] })],
  },
]

const PROMETHEUS = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }]

const EXPORTER = {
  name: 'metrics',
  args: [
    'metrics',
    '--listen',
    '0.0.0.0:9100',
    '--envoy',
    'unix:/tmp/envoy-admin.sock',
    '--signer',
    'unix:/run/countersign/signer-admin.sock',
    '--traces',
    'http://collector:4318/v1/traces',
    '--traces-protocol',
    'http/protobuf',
  ],
  ports: [{ name: 'metrics', containerPort: 9100 }],
  resources: { limits: { memory: '99Mi' } },
  volumeMounts: [
    { name: 'tmp', mountPath: '/tmp', readOnly: true },
    { name: 'sockets', mountPath: '/run/countersign', readOnly: true },
  ],
}

const MONITORING: readonly Option[] = [
  {
    name: 'an exporter of the metrics of Envoy and of the signer, without keys, which Prometheus may read',
    values: {
      signer: {
        enabled: true,
        config: { authorities: { kube: { certificate: '/ca.crt', key: 'file:/ca.key' } } },
      },
      monitoring: {
        podMonitor: { enabled: true },
        exporter: {
          enabled: true,
          port: 9100,
          traces: { endpoint: 'http://collector:4318/v1/traces' },
          resources: { limits: { memory: '99Mi' } },
        },
      },
      networkPolicy: { metrics: PROMETHEUS },
    },
    has: [
      {
        kind: 'Deployment',
        metadata: { name: 'countersign-envoy' },
        spec: { template: { spec: { containers: [EXPORTER] } } },
      },
      {
        kind: 'PodMonitor',
        metadata: { name: 'countersign-envoy' },
        spec: {
          podMetricsEndpoints: [
            { port: 'metrics', path: '/stats/prometheus' },
            { port: 'metrics', path: '/metrics' },
          ],
        },
      },
      {
        kind: 'NetworkPolicy',
        metadata: { name: 'countersign-envoy' },
        spec: {
          ingress: [{ from: PROMETHEUS, ports: [{ protocol: 'TCP', port: 'metrics' }] }],
        },
      },
    ],
  },
  {
    name: 'a PodMonitor for Prometheus, which may connect',
    values: {
      monitoring: {
        podMonitor: {
          enabled: true,
          interval: '30s',
          labels: { release: 'prometheus' },
          relabelings: [{ action: 'labeldrop', regex: 'pod' }],
          metricRelabelings: [{ action: 'drop', regex: 'nodejs_.*', sourceLabels: ['__name__'] }],
        },
      },
      networkPolicy: { metrics: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }] },
    },
    has: [
      {
        kind: 'PodMonitor',
        metadata: { name: 'countersign-authz', labels: { release: 'prometheus' } },
        spec: {
          selector: {
            matchLabels: {
              'app.kubernetes.io/name': 'countersign',
              'app.kubernetes.io/instance': 'countersign',
              'app.kubernetes.io/component': 'authz',
            },
          },
          podMetricsEndpoints: [
            {
              port: 'admin',
              path: '/metrics',
              interval: '30s',
              relabelings: [{ action: 'labeldrop', regex: 'pod' }],
              metricRelabelings: [
                { action: 'drop', regex: 'nodejs_.*', sourceLabels: ['__name__'] },
              ],
            },
          ],
        },
      },
      {
        kind: 'NetworkPolicy',
        metadata: { name: 'countersign-authz' },
        spec: {
          ingress: [
            {
              from: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
              ports: [{ protocol: 'TCP', port: 'admin' }],
            },
          ],
        },
      },
    ],
  },
]

const SERVICE_MONITORS: Option = {
  name: 'ServiceMonitors for Prometheus, with Services of their own that callers do not use',
  values: {
    signer: {
      enabled: true,
      config: { authorities: { kube: { certificate: '/ca.crt', key: 'file:/ca.key' } } },
    },
    monitoring: {
      serviceMonitor: { enabled: true, interval: '30s', labels: { release: 'prometheus' } },
      exporter: { enabled: true, port: 9100 },
    },
    networkPolicy: { metrics: PROMETHEUS },
  },
  has: [
    {
      kind: 'Service',
      metadata: {
        name: 'countersign-authz-scrape',
        labels: { 'app.kubernetes.io/component': 'authz-scrape' },
      },
      spec: {
        clusterIP: 'None',
        selector: SELECTED('authz').matchLabels,
        ports: [{ name: 'admin', port: 9090, targetPort: 'admin' }],
      },
    },
    {
      kind: 'ServiceMonitor',
      metadata: { name: 'countersign-authz', labels: { release: 'prometheus' } },
      spec: {
        selector: SELECTED('authz-scrape'),
        endpoints: [{ port: 'admin', path: '/metrics', interval: '30s' }],
      },
    },
    {
      kind: 'Service',
      metadata: { name: 'countersign-envoy-scrape' },
      spec: {
        clusterIP: 'None',
        ports: [{ name: 'metrics', port: 9100, targetPort: 'metrics' }],
      },
    },
    {
      kind: 'ServiceMonitor',
      metadata: { name: 'countersign-envoy' },
      spec: {
        selector: SELECTED('envoy-scrape'),
        endpoints: [
          { port: 'metrics', path: '/stats/prometheus', interval: '30s' },
          { port: 'metrics', path: '/metrics', interval: '30s' },
        ],
      },
    },
  ],
}

/** Every option that needs an operator. */
export const OPERATOR_OPTIONS: readonly Option[] = [
  ...CERTIFICATES,
  ...MONITORING,
  SERVICE_MONITORS,
]

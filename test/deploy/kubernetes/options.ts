// Values of the chart that are off or empty by default, and what objects have by them. The real API server validates
// each (cluster.test.ts).

/** A part of an object, found by its kind and name. */
interface PartOfObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: object }
  readonly [field: string]: unknown
}

/** What the chart renders with some values. */
export interface Option {
  readonly name: string
  readonly values: object
  /** Parts of the objects, which may have more. */
  readonly has: readonly PartOfObject[]
}

/** A container that a namespace of Pod Security "restricted" accepts. */
const container = (name: string): object => ({
  name,
  image: 'registry.example.org/one:1',
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
})

const deployment = (part: 'authz' | 'envoy', fields: object): PartOfObject => ({
  kind: 'Deployment',
  metadata: { name: `countersign-${part}` },
  spec: fields,
})

const pod = (part: 'authz' | 'envoy', spec: object, metadata: object = {}): PartOfObject =>
  deployment(part, { template: { metadata, spec } })

const PARTS = ['authz', 'envoy'] as const

/** The option for authz and for Envoy at once. */
const ofBoth = (
  name: string,
  values: object,
  has: (part: 'authz' | 'envoy') => PartOfObject,
): Option => ({
  name,
  values: Object.fromEntries(PARTS.map((part) => [part, values])),
  has: PARTS.map(has),
})

const SELECTED = (part: string): object => ({
  matchLabels: {
    'app.kubernetes.io/name': 'countersign',
    'app.kubernetes.io/instance': 'countersign',
    'app.kubernetes.io/component': part,
  },
})

const VOLUME = { name: 'cache', emptyDir: { sizeLimit: '1Mi' } }
const MOUNT = { name: 'cache', mountPath: '/cache' }
const VARIABLES = [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.org:3128' }]
const SOURCES = [{ configMapRef: { name: 'proxy', optional: true } }]
const AUTHORITY = { certificate: '/ca.crt', key: 'file:/ca.key', limits: { lifetime: '1h' } }

const WORKLOADS: readonly Option[] = [
  ofBoth('further variables', { extraEnv: VARIABLES, extraEnvFrom: SOURCES }, (part) =>
    pod(part, { containers: [{ name: part, env: VARIABLES, envFrom: SOURCES }] }),
  ),
  ofBoth('further volumes', { extraVolumes: [VOLUME], extraVolumeMounts: [MOUNT] }, (part) =>
    pod(part, { volumes: [VOLUME], containers: [{ name: part, volumeMounts: [MOUNT] }] }),
  ),
  ofBoth(
    'init containers and sidecars',
    { extraInitContainers: [container('first')], extraContainers: [container('beside')] },
    (part) =>
      pod(part, {
        initContainers: [container('first')],
        containers: [{ name: part }, container('beside')],
      }),
  ),
  {
    name: 'a signer with further variables and volumes',
    values: {
      signer: {
        enabled: true,
        config: { authorities: { kube: AUTHORITY } },
        extraEnv: VARIABLES,
        extraEnvFrom: SOURCES,
        extraVolumeMounts: [MOUNT],
      },
      envoy: { extraVolumes: [VOLUME] },
    },
    has: [
      pod('envoy', {
        initContainers: [
          { name: 'bootstrap' },
          { name: 'signer', env: VARIABLES, envFrom: SOURCES, volumeMounts: [MOUNT] },
        ],
      }),
    ],
  },
  ofBoth(
    'annotations and labels',
    {
      deploymentAnnotations: { 'example.org/owner': 'platform' },
      podAnnotations: { 'example.org/scrape': 'no' },
      podLabels: { 'example.org/tier': 'edge' },
    },
    (part) => ({
      kind: 'Deployment',
      metadata: {
        name: `countersign-${part}`,
        annotations: { 'example.org/owner': 'platform' },
      },
      spec: {
        selector: SELECTED(part),
        template: {
          metadata: {
            annotations: { 'example.org/scrape': 'no' },
            labels: { 'example.org/tier': 'edge' },
          },
        },
      },
    }),
  ),
  ofBoth(
    'scheduling',
    {
      nodeSelector: { 'kubernetes.io/arch': 'amd64' },
      tolerations: [{ key: 'edge', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: { podAntiAffinity: {} },
      priorityClassName: 'system-cluster-critical',
      terminationGracePeriodSeconds: 90,
      topologySpreadConstraints: [
        { topologyKey: 'example.org/rack', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' },
      ],
    },
    (part) =>
      pod(part, {
        nodeSelector: { 'kubernetes.io/arch': 'amd64' },
        tolerations: [{ key: 'edge', operator: 'Exists', effect: 'NoSchedule' }],
        affinity: { podAntiAffinity: {} },
        priorityClassName: 'system-cluster-critical',
        terminationGracePeriodSeconds: 90,
        topologySpreadConstraints: [
          {
            topologyKey: 'example.org/rack',
            maxSkew: 1,
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: SELECTED(part),
          },
        ],
      }),
  ),
  {
    name: 'images by digest, of a registry that needs credentials',
    values: {
      image: { repository: 'registry.example.org/countersign', digest: `sha256:${'a'.repeat(64)}` },
      envoy: { image: { digest: `sha256:${'b'.repeat(64)}` } },
      imagePullSecrets: [{ name: 'registry' }],
    },
    has: [
      pod('authz', {
        imagePullSecrets: [{ name: 'registry' }],
        containers: [{ image: `registry.example.org/countersign@sha256:${'a'.repeat(64)}` }],
      }),
      pod('envoy', {
        imagePullSecrets: [{ name: 'registry' }],
        containers: [{ image: `envoyproxy/envoy@sha256:${'b'.repeat(64)}` }],
      }),
    ],
  },
]

const ROLE = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/countersign' }

const AROUND: readonly Option[] = [
  ofBoth(
    'annotations of the service accounts',
    { serviceAccount: { annotations: ROLE } },
    (part) => ({
      kind: 'ServiceAccount',
      metadata: { name: `countersign-${part}`, annotations: ROLE },
      automountServiceAccountToken: false,
    }),
  ),
  {
    name: 'an existing service account, to which the roles are bound',
    values: {
      authz: { serviceAccount: { create: false, name: 'identity' } },
      apiServer: { tokenReview: true },
    },
    has: [
      pod('authz', { serviceAccountName: 'identity' }),
      {
        kind: 'ClusterRoleBinding',
        metadata: { name: 'countersign:countersign-authz' },
        subjects: [{ kind: 'ServiceAccount', name: 'identity', namespace: 'countersign' }],
      },
    ],
  },
  {
    name: 'annotations of the Services',
    values: {
      authz: { service: { annotations: { 'example.org/mesh': 'no' } } },
      envoy: { service: { annotations: { 'example.org/internal': 'yes' } } },
    },
    has: [
      {
        kind: 'Service',
        metadata: { name: 'countersign-authz', annotations: { 'example.org/mesh': 'no' } },
      },
      {
        kind: 'Service',
        metadata: { name: 'countersign', annotations: { 'example.org/internal': 'yes' } },
      },
    ],
  },
]

const BEHAVIOR = { scaleDown: { stabilizationWindowSeconds: 600 } }
const METRIC = {
  type: 'Pods',
  pods: {
    metric: { name: 'checks_per_second' },
    target: { type: 'AverageValue', averageValue: '500' },
  },
}

const SCALE: readonly Option[] = [
  ofBoth(
    'an autoscaler',
    {
      autoscaling: {
        enabled: true,
        minReplicas: 3,
        maxReplicas: 9,
        cpuPercent: 60,
        metrics: [METRIC],
        behavior: BEHAVIOR,
      },
    },
    (part) => ({
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: `countersign-${part}` },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: `countersign-${part}` },
        minReplicas: 3,
        maxReplicas: 9,
        metrics: [
          {
            type: 'ContainerResource',
            containerResource: {
              name: 'cpu',
              container: part,
              target: { type: 'Utilization', averageUtilization: 60 },
            },
          },
          METRIC,
        ],
        behavior: BEHAVIOR,
      },
    }),
  ),
  {
    name: 'a state file on a volume',
    values: {
      authz: { replicas: 1 },
      state: {
        kind: 'sqlite',
        sqlite: { size: '4Gi', storageClass: 'fast', secret: 'state-keys' },
      },
    },
    has: [
      {
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: 'countersign-state',
          annotations: { 'helm.sh/resource-policy': 'keep' },
        },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'fast',
          resources: { requests: { storage: '4Gi' } },
        },
      },
      deployment('authz', {
        replicas: 1,
        strategy: { type: 'Recreate' },
        template: {
          spec: {
            volumes: [{ name: 'state', persistentVolumeClaim: { claimName: 'countersign-state' } }],
            containers: [{ volumeMounts: [{ name: 'state', mountPath: '/var/lib/countersign' }] }],
          },
        },
      }),
    ],
  },
  {
    name: 'a state file on a volume that exists',
    values: {
      authz: { replicas: 1 },
      state: { kind: 'sqlite', sqlite: { existingClaim: 'mine' } },
    },
    has: [
      pod('authz', { volumes: [{ name: 'state', persistentVolumeClaim: { claimName: 'mine' } }] }),
    ],
  },
]

/** Every option. */
export const OPTIONS: readonly Option[] = [...WORKLOADS, ...AROUND, ...SCALE]

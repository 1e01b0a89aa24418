// Values of the chart that are off or empty by default, and what objects have by them.

import { deployment, ofBoth, pod, SELECTED, type Option } from './option.ts'
import { OBSERVATION_OPTIONS } from './observation-options.ts'
import { DASHBOARD_OPTIONS } from './dashboard-options.ts'
import { OPERATOR_OPTIONS } from './operator-options.ts'
import { WORKLOAD_OPTIONS } from './workload-options.ts'

const ROLE = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/countersign' }

const ACCOUNTS_AND_SERVICES: readonly Option[] = [
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

const SCALE_AND_STATE: readonly Option[] = [
  ofBoth(
    'a disruption budget of a part of the pods',
    { replicas: 8, podDisruptionBudget: { maxUnavailable: '25%' } },
    (part) => ({
      kind: 'PodDisruptionBudget',
      metadata: { name: `countersign-${part}` },
      spec: { maxUnavailable: '25%', selector: SELECTED(part) },
    }),
  ),
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
export const OPTIONS: readonly Option[] = [
  ...WORKLOAD_OPTIONS,
  ...ACCOUNTS_AND_SERVICES,
  ...SCALE_AND_STATE,
  ...OPERATOR_OPTIONS,
  ...DASHBOARD_OPTIONS,
  ...OBSERVATION_OPTIONS,
]

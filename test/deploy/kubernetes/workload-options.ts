// Values of the chart for the pods of authz and Envoy, and what the Deployments have by them.

import { ofBoth, pod, SELECTED, type Option } from './option.ts'

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

const VOLUME = { name: 'cache', emptyDir: { sizeLimit: '1Mi' } }
const MOUNT = { name: 'cache', mountPath: '/cache' }
const VARIABLES = [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.org:3128' }]
const SOURCES = [{ configMapRef: { name: 'proxy', optional: true } }]
const AUTHORITY = { certificate: '/ca.crt', key: 'file:/ca.key', limits: { lifetime: '1h' } }

/** Options of pods. */
export const WORKLOAD_OPTIONS: readonly Option[] = [
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

// What several values of the chart have in common.

import { z } from 'zod'

/** The name of an object in Kubernetes. */
export const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'must be the name of an object in Kubernetes')

/** A port that needs no privilege. */
export const port = z.int().min(1024).max(65_535) // below, one would have to be root

/** At least a second, since Kubernetes before 1.32 takes no shorter sleep. */
export const seconds = (most: number) => z.int().min(1).max(most)

/** An object of the Kubernetes API, which only the API server validates. */
export const kubernetesObject = z.looseObject({})
/** Several of them. */
export const kubernetesObjects = z.array(kubernetesObject)

/** NetworkPolicyPeers. */
export const peers = (fallback: readonly object[]) =>
  z.array(z.looseObject({})).default(fallback.map((peer) => ({ ...peer })))

/** Labels or annotations. */
export const labels = z.record(z.string(), z.string()).default({})

/** Secrets that a container reads. */
export const secrets = z
  .array(name)
  .default([])
  .describe(
    'Names of Secrets, each mounted at /etc/countersign/secrets/NAME, a file for each of its keys.',
  )

/** The key of the audit log's checkpoints. */
export const auditKey = z
  .strictObject({
    secret: name
      .or(z.literal(''))
      .default('')
      .describe('The Secret that has it. Empty: checkpoints are not signed.'),
    file: z
      .string()
      .regex(/^[A-Za-z0-9._-]+$/)
      .default('audit.key')
      .describe('Its key in the Secret: a private key in PEM.'),
    every: z
      .string()
      .regex(/^[1-9][0-9]*(s|m|h|d)$/)
      .default('1m')
      .describe('How often a checkpoint is signed, where there are new events.'),
  })
  .prefault({})
  .describe(
    'Signs checkpoints of the audit log (`audit.checkpoints`). The notes of the release say how to print its public key.',
  )

/** ConfigMaps that a container reads. */
export const configMaps = z
  .array(name)
  .default([])
  .describe(
    'Names of ConfigMaps, each mounted at /etc/countersign/configmaps/NAME, such as kube-root-ca.crt.',
  )

/** The keys of an image. */
export const image = (repository: string, tag: string) => ({
  repository: z.string().min(1).default(repository).describe('Where the image is.'),
  tag: z.string().default(tag).describe('Its tag. Empty: the version of the application.'),
  digest: z
    .string()
    .regex(/^(sha256:[0-9a-f]{64})?$/)
    .default('')
    .describe('Its digest (sha256:…), which takes precedence over the tag.'),
  pullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When it is pulled.'),
})

/** `resources` of a container. */
export const resources = (requests: object, memory: string) =>
  z
    .looseObject({})
    .default({ requests: { ...requests }, limits: { memory } })
    .describe('Requests and limits of the container.')

/** The user of its processes. */
export const user = (id: number) =>
  z
    .int()
    .min(1)
    .nullable()
    .default(id)
    .describe('The numeric user and group of its processes; null: the platform chooses.')

/** Environment variables of a container. */
export const environment = {
  extraEnv: kubernetesObjects.default([]).describe('Further environment variables (EnvVars).'),
  extraEnvFrom: kubernetesObjects
    .default([])
    .describe('Secrets and ConfigMaps whose keys become environment variables (EnvFromSources).'),
}

/** Files of a container. */
export const extraVolumeMounts = kubernetesObjects
  .default([])
  .describe('VolumeMounts of the container, of `extraVolumes`.')

/** What pods have in addition to the chart's own. */
const additions = {
  ...environment,
  extraVolumeMounts,
  extraVolumes: kubernetesObjects.default([]).describe('Further Volumes of the pods.'),
  extraInitContainers: kubernetesObjects
    .default([])
    .describe(
      'Containers that run before those of the chart; with `restartPolicy: Always`, next to them.',
    ),
  extraContainers: kubernetesObjects
    .default([])
    .describe('Sidecars. They share the network of the pod, and the volumes that they mount.'),
}

const scheduling = {
  nodeSelector: labels.describe('Labels of the nodes that the pods may run on.'),
  tolerations: kubernetesObjects.default([]).describe('Taints of nodes that the pods tolerate.'),
  affinity: kubernetesObject.default({}).describe('Affinity of the pods.'),
  topologySpreadConstraints: kubernetesObjects
    .default([])
    .describe(
      'TopologySpreadConstraints; `labelSelector` defaults to the pods. Empty: pods are spread over nodes and zones where possible.',
    ),
  priorityClassName: z.string().default('').describe('The PriorityClass of the pods.'),
}

/** Keys of every Deployment. */
export const workload = {
  deploymentAnnotations: labels.describe('Annotations of the Deployment.'),
  podAnnotations: labels.describe('Further annotations of the pods.'),
  podLabels: labels.describe('Further labels of the pods.'),
  ...additions,
  ...scheduling,
  terminationGracePeriodSeconds: z
    .int()
    .min(1)
    .max(3_600)
    .nullable()
    .default(null)
    .describe(
      'The time between the request to end and the kill. null: `drainSeconds` and the time that requests in progress have.',
    ),
  serviceAccount: z
    .strictObject({
      create: z.boolean().default(true).describe('Whether the chart makes it.'),
      name: name
        .or(z.literal(''))
        .default('')
        .describe('Its name, which an existing one needs. Empty: that of the Deployment.'),
      annotations: labels.describe('Its annotations, for identities of a cloud.'),
    })
    .prefault({})
    .describe('The ServiceAccount of the pods. Its token is not mounted without `apiServer`.'),
}

/** How many. */
export const replicas = z.int().min(1).default(2).describe('How many pods.')

/** A PodDisruptionBudget. */
export const disruptionBudget = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether there is one, if pods are two or more.'),
    maxUnavailable: z
      .union([z.int().min(1), z.string().regex(/^[1-9][0-9]?%$/)])
      .default(1)
      .describe('How many pods may be evicted at a time, such as 1 or 25%.'),
  })
  .prefault({})
  .describe('A PodDisruptionBudget, which counts when nodes are drained.')

/** A HorizontalPodAutoscaler. */
export const autoscaling = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether the number of pods follows their load, in place of `replicas`.'),
    minReplicas: z.int().min(1).default(2).describe('The least number of pods.'),
    maxReplicas: z.int().min(1).default(6).describe('The greatest number of pods.'),
    cpuPercent: z
      .int()
      .min(1)
      .nullable()
      .default(80)
      .describe(
        'The CPU time that the container should use on average, in percent of its request. null: only `metrics` count.',
      ),
    metrics: kubernetesObjects.default([]).describe('Further MetricSpecs (autoscaling/v2).'),
    behavior: kubernetesObject
      .default({})
      .describe('HorizontalPodAutoscalerBehavior. Empty: that of Kubernetes.'),
  })
  .prefault({})
  .describe('A HorizontalPodAutoscaler. It needs a metrics server.')

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

/** Keys of every Deployment. */
export const placement = {
  podAnnotations: labels.describe('Further annotations of the pods.'),
  podLabels: labels.describe('Further labels of the pods.'),
  nodeSelector: labels.describe('Labels of the nodes that the pods may run on.'),
  tolerations: kubernetesObjects.default([]).describe('Taints of nodes that the pods tolerate.'),
  affinity: kubernetesObject.default({}).describe('Affinity of the pods.'),
  priorityClassName: z.string().default('').describe('The PriorityClass of the pods.'),
}

/** How many. */
export const replicas = z
  .int()
  .min(1)
  .default(2)
  .describe('How many pods. With two or more, one at a time may be evicted.')

// The chart, rendered by the real Helm, and its objects as far as the tests look at them.

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { CHART, helm, HELM, KUBERNETES } from '../../../scripts/helm.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const MISSING = `no ${HELM}: "sh scripts/helm.sh" builds it`

/**
 * For `skip` of node:test: the reason to skip tests that need Helm, or `false` where there is one.
 * Throws where `CI` is `true`: there a missing one is a fault and not a reason.
 */
export const skipWithoutHelm = (): string | false => {
  if (existsSync(HELM)) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

const probe = z.looseObject({
  httpGet: z.object({ path: z.string(), port: z.string() }).optional(),
  tcpSocket: z.object({ port: z.string() }).optional(),
  exec: z.object({ command: z.array(z.string()) }).optional(),
})

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  restartPolicy: z.string().optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).default([]),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) })
          .optional(),
      }),
    )
    .default([]),
  volumeMounts: z
    .array(
      z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) }),
    )
    .default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z
    .object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) })
    .optional(),
  resources: z
    .object({
      requests: z.record(z.string(), z.string()),
      limits: z.record(z.string(), z.string()),
    })
    .default({ requests: {}, limits: {} }),
  securityContext: z.looseObject({ runAsUser: z.number().optional() }),
})

const volume = z.object({
  name: z.string(),
  secret: z.object({ secretName: z.string(), defaultMode: z.number() }).optional(),
  configMap: z.object({ name: z.string() }).optional(),
  emptyDir: z.looseObject({}).optional(),
  persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
})

const pod = z.looseObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.number(),
  securityContext: z.looseObject({ fsGroup: z.number().optional() }),
  initContainers: z.array(container).default([]),
  containers: z.array(container),
  volumes: z.array(volume),
})

const template = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
  }),
  spec: pod,
})

const metadata = z.looseObject({ name: z.string() })
const deployment = z.object({
  kind: z.literal('Deployment'),
  metadata,
  spec: z.object({ template }),
})
const configMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata,
  data: z.record(z.string(), z.string()),
})
const object = z.looseObject({ kind: z.string(), metadata })

/** Any object. */
type KubernetesObject = z.output<typeof object>
/** What pods of a Deployment are made from. */
export type PodTemplate = z.output<typeof template>
/** A container of a pod, or one that runs before or next to the other containers. */
export type Container = z.output<typeof container>

/** The chart with one set of values. */
export interface Rendered {
  readonly text: string
  readonly objects: readonly KubernetesObject[]
  /** The pods of the Deployment whose name ends so. */
  readonly pods: (part: 'authz' | 'envoy') => PodTemplate
  /** The contents of ConfigMaps, by their names. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What the chart is rendered with. */
export interface Values {
  /** A file of deploy/kubernetes/examples, without `.values.yaml`. */
  readonly example?: string
  /** Values that count more than the example's. */
  readonly values?: object
  readonly namespace?: string
}

/** The options of Helm that say so. */
const optionsOf = async (
  { example, values = {}, namespace = 'countersign' }: Values,
  stack: AsyncDisposableStack,
): Promise<readonly string[]> => {
  const folder = stack.use(await temporaryFolder())
  const own = folder.file('values.json')
  await writeFile(own, JSON.stringify(values))
  return [
    `--namespace=${namespace}`,
    ...(example === undefined
      ? []
      : [`--values=${join(KUBERNETES, 'examples', `${example}.values.yaml`)}`]),
    `--values=${own}`,
  ]
}

/**
 * Runs a command of Helm on the chart with these values; throws with what it said.
 *
 * @param chart another chart than that of this clone
 */
export const onChart = async (
  command: readonly string[],
  values: Values,
  kubeconfig?: string,
  chart = CHART,
): Promise<string> => {
  await using stack = new AsyncDisposableStack()
  return await helm([...command, chart, ...(await optionsOf(values, stack))], kubeconfig)
}

/** Renders the chart; throws with what Helm said. */
export const render = async (values: Values): Promise<Rendered> =>
  readObjects(await onChart(['template', 'countersign', '--skip-tests'], values))

/** Reads objects out of YAML. */
export const readObjects = (text: string): Rendered => {
  const objects = parseAllDocuments(text, { merge: true })
    .map((document): unknown => document.toJS())
    .filter((value) => value !== null)
    .map((value) => object.parse(value))
  const deployments = objects
    .filter(({ kind }) => kind === 'Deployment')
    .map((value) => deployment.parse(value))
  const configMaps = objects
    .filter(({ kind }) => kind === 'ConfigMap')
    .map((value) => configMap.parse(value))
  return {
    text,
    objects,
    pods: (part) => {
      const found = deployments.find(({ metadata: { name } }) => name.endsWith(`-${part}`))
      if (found === undefined) throw new Error(`there is no Deployment of ${part}`)
      return found.spec.template
    },
    configMaps: Object.fromEntries(configMaps.map(({ metadata: { name }, data }) => [name, data])),
  }
}

/** A container that there must be. */
export const containerOf = ({ spec }: PodTemplate, wanted: string): Container => {
  const found = [...spec.initContainers, ...spec.containers].find(({ name }) => name === wanted)
  if (found === undefined) throw new Error(`there is no container ${wanted}`)
  return found
}

/** Sets of values with which the chart has to be right. */
export const VALUE_SETS: Readonly<Record<string, Values>> = {
  defaults: {},
  'an API server with a certificate for everybody': { example: 'certificate' },
  'TokenReview, SubjectAccessReview and impersonation': { example: 'impersonation' },
  'logins with Redis, behind a load balancer': { example: 'login' },
  'authz alone, for Istio': { example: 'istio' },
  'logins in a state file': {
    example: 'login',
    values: { authz: { replicas: 1 }, state: { kind: 'sqlite' } },
  },
  'logins with several workers': {
    example: 'login',
    values: { authz: { replicas: 1, workers: 3 }, state: { kind: 'sqlite' } },
  },
  'without TLS to authz, network policies or a Service': {
    values: {
      authz: { replicas: 1, tls: { enabled: false }, user: null },
      envoy: { replicas: 1, service: { enabled: false }, user: null },
      networkPolicy: { enabled: false },
    },
  },
}

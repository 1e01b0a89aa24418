// What a program does with `@kubernetes/client-node`, by a kubeconfig that `countersign kubeconfig` wrote.

import {
  AuthenticationV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
} from '@kubernetes/client-node'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Caller } from './asking.ts'
import { NAMESPACE } from './roles.ts'

/** What a program saw: the same with each library. */
export interface Seen {
  readonly user: string
  /** Sorted. */
  readonly groups: readonly string[]
  /** The names in the first list. */
  readonly listed: readonly string[]
  /** The events that a watch then received: type and colour. */
  readonly events: readonly (readonly [string, string])[]
}

/** The file and the context of a caller's kubeconfig. */
export const kubeconfigOf = ({ identity }: Caller): { file: string; context: string } => {
  const value = (option: string): string =>
    identity.find((argument) => argument.startsWith(option))?.slice(option.length) ?? ''
  return { file: value('--kubeconfig='), context: value('--context=') }
}

const kubeconfigSchema = z.object({
  users: z.array(
    z.object({ name: z.string(), user: z.object({ tokenFile: z.string().optional() }) }),
  ),
})

/** The library's own configuration for a caller, at another server than the kubeconfig names. */
export const configOf = (caller: Caller, server: string): KubeConfig => {
  const { file, context } = kubeconfigOf(caller)
  const config = new KubeConfig()
  config.loadFromFile(file)
  config.setCurrentContext(context)
  config.clusters = config.clusters.map((cluster) => ({ ...cluster, server }))
  const tokenFiles = new Map(
    kubeconfigSchema
      .parse(parse(readFileSync(file, 'utf8')))
      .users.map(({ name, user }) => [name, user.tokenFile]),
  )
  config.users = config.users.map((user) => {
    const tokenFile = tokenFiles.get(user.name)
    // The library does not know `tokenFile`, and reads one by a name of its own.
    if (tokenFile !== undefined)
      return { ...user, authProvider: { name: 'file', config: { tokenFile } } }
    // Where `countersign login` keeps the login.
    const env = [{ name: 'XDG_STATE_HOME', value: caller.state }]
    return user.exec === undefined ? user : { ...user, exec: { ...user.exec, env } }
  })
  return config
}

/** Makes, lists, watches, changes and deletes an object. */
export const useClientNode = async (config: KubeConfig, name: string): Promise<Seen> => {
  const core = config.makeApiClient(CoreV1Api)
  const reviews = config.makeApiClient(AuthenticationV1Api)
  const { status } = await reviews.createSelfSubjectReview({ body: {} })
  const metadata = { name, labels: { by: name } }
  const one = { namespace: NAMESPACE, name }
  const body = { metadata, data: { colour: 'blue' } }
  await core.createNamespacedConfigMap({ namespace: NAMESPACE, body })
  const list = () =>
    core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: `by=${name}` })
  const listed = (await list()).items.map((item) => item.metadata?.name ?? '')
  const events: [string, string][] = []
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`
  const informer = makeInformer<V1ConfigMap>(config, path, list, `by=${name}`)
  const { promise: gone, resolve, reject } = Promise.withResolvers<void>()
  const heard = (type: string) => (object: V1ConfigMap) =>
    events.push([type, object.data?.['colour'] ?? ''])
  informer.on('update', heard('MODIFIED'))
  informer.on('delete', heard('DELETED'))
  informer.on('delete', () => resolve())
  informer.on('error', reject)
  await informer.start()
  const patch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)
  await core.patchNamespacedConfigMap({ ...one, body: { data: { colour: 'red' } } }, patch)
  await core.deleteNamespacedConfigMap(one)
  await gone
  await informer.stop()
  const { username = '', groups = [] } = status?.userInfo ?? {}
  return { user: username, groups: groups.toSorted(), listed, events }
}

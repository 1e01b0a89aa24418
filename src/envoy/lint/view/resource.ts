// The resources of a config dump by name, which identifies them better than their path.

import { unpack } from './extension.ts'
import type { Path, Setting } from './setting.ts'

/** A resource of a config dump. */
export interface Resource {
  /** Its kind and its name, for messages. */
  readonly name: string
  /** The way to it. */
  readonly path: Path
}

/** The resource in which a path lies; `undefined` where it lies in none, as in a bootstrap. */
export const resourceAt = (root: Setting, path: Path): Resource | undefined => {
  let setting = root
  for (const step of path) {
    const { type, config } = unpack(setting)
    const named = ['name', 'cluster_name'].some((field) => config.get(field).isSet)
    if (KIND_NAMES.has(type) && named) {
      return { name: nameIn(setting, setting), path: setting.path }
    }
    setting = typeof step === 'number' ? (setting.items()[step] ?? setting) : setting.entry(step)
  }
  return undefined
}

/** The kind and the name of a resource; its state in the dump may have the name only. */
export const nameIn = (state: Setting, any: Setting): string => {
  const { type, config } = unpack(any)
  const name = state.get('name').text || config.get('name').text || config.get('cluster_name').text
  return `${KIND_NAMES.get(type) ?? 'resource'} ${name}`
}

const KIND_NAMES: ReadonlyMap<string, string> = new Map([
  ['envoy.config.listener.v3.Listener', 'listener'],
  ['envoy.config.cluster.v3.Cluster', 'cluster'],
  ['envoy.config.route.v3.RouteConfiguration', 'route configuration'],
  ['envoy.config.core.v3.TypedExtensionConfig', 'filter'],
  ['envoy.config.endpoint.v3.ClusterLoadAssignment', 'endpoints of'],
  ['envoy.extensions.transport_sockets.tls.v3.Secret', 'secret'],
])

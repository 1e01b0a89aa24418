// Configuration → Envoy bootstrap. Pure: it reads no file and uses only the configuration.

import { Document, isScalar, visit } from 'yaml'
import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Address } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'
import { clusters } from './clusters.ts'
import { EXPLANATIONS, HEADER } from './explanations.ts'
import { followCertificates } from './followed-certificates.ts'
import { forwardsCertificates, statistics } from './identity-certificate.ts'
import { edgeListener, exclusivePort } from './listener.ts'
import { addressMessage, type Message } from './message.ts'
import { overloadManager } from './overload.ts'
import { redirectListeners } from './redirect.ts'
import { layeredRuntime } from './runtime.ts'

const SOCKET_MODE = 0o600

/** Settings that are not part of the configuration. */
export interface BootstrapOptions {
  /** Where Envoy finds the file of `refusalRate`: absolute. Default: no limit to the lines of refusals. */
  readonly rateFile?: string | undefined
  /** The folder in which Envoy finds the files of `certificateFiles`: absolute. Default: it reads them when it starts. */
  readonly certificatesFolder?: string | undefined
  /** Where the administration interface is. Default: as the configuration has it. */
  readonly admin?: Address | undefined
  /**
   * Whether the port of the listener belongs to this Envoy alone. Otherwise other processes of the same user can
   * listen on it, too, and receive a part of the connections (SO_REUSEPORT, socket(7)).
   */
  readonly exclusive?: boolean | undefined
}

/**
 * A hardened Envoy bootstrap (envoy.config.bootstrap.v3.Bootstrap).
 *
 * @throws CountersignError `configuration-invalid` when the configuration lacks a section that it needs
 */
export const envoyBootstrap = (config: Config, options: BootstrapOptions = {}): object => {
  const envoy = envoySection(config)
  const { rateFile, certificatesFolder, admin = envoy.admin, exclusive = false } = options
  const bootstrap: Message = {
    node: { id: envoy.nodeId, cluster: 'countersign' },
    admin: {
      address: addressMessage(admin, SOCKET_MODE),
      ignore_global_conn_limit: true,
    },
    overload_manager: overloadManager(envoy),
    layered_runtime: layeredRuntime,
    ...(forwardsCertificates(config) ? statistics : {}),
    static_resources: {
      listeners: [
        edgeListener(config, envoy, { file: envoy.accessLog, rateFile }),
        ...redirectListeners(config, envoy),
      ].map((listener) => (exclusive ? { ...listener, ...exclusivePort } : listener)),
      clusters: clusters(config, envoy),
    },
  }
  if (certificatesFolder === undefined) return bootstrap
  return followCertificates(bootstrap, certificatesFolder).bootstrap
}

/** The files in a folder, by their paths, by which Envoy follows the certificates that the bootstrap names. */
export const certificateFiles = (config: Config, folder: string): ReadonlyMap<string, string> =>
  followCertificates(envoyBootstrap(config), folder).files

/** The bootstrap as commented YAML. */
export const renderBootstrap = (config: Config, options: BootstrapOptions = {}): string => {
  const document = new Document(envoyBootstrap(config, options), { aliasDuplicateObjects: false })
  document.commentBefore = HEADER
  const explained = new Set<string>()
  visit(document, {
    Pair: (_key, { key }) => {
      if (!isScalar(key) || typeof key.value !== 'string' || explained.has(key.value)) return
      const explanation = EXPLANATIONS[key.value]
      if (explanation === undefined) return
      explained.add(key.value)
      key.commentBefore = ` ${explanation}`
    },
  })
  return document.toString({ lineWidth: 0 })
}

const envoySection = ({ envoy, routes }: Config): EnvoyConfig => {
  if (envoy === undefined) {
    throw new CountersignError(
      'configuration-invalid',
      'the configuration has no "envoy" section, which says where Envoy listens and forwards to',
    )
  }
  for (const { name, upstream = name } of routes) {
    if (Object.hasOwn(envoy.upstreams, upstream)) continue
    throw new CountersignError(
      'configuration-invalid',
      `route "${name}" has no upstream: there is no "${upstream}" in envoy.upstreams`,
    )
  }
  return envoy
}

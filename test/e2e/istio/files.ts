// The files of deploy/istio, unchanged except for addresses, ports and folders. The gateway also has a
// plain listener, for what is forged there.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { istioConfiguration } from '../../../scripts/istio-files.ts'
import { renderEnvoyFilter } from '../../../src/envoy/istio/envoy-filter.ts'
import { configOf } from '../../envoy/edge.ts'

const FOLDER = resolve(import.meta.dirname, '../../../deploy/istio')

/** Where things are here. */
export interface Places {
  /** In place of /run/countersign and /etc/countersign. */
  readonly folder: string
  /** The gateway's ports. */
  readonly https: number
  readonly http: number
  readonly apiServer: number
}

const objectSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  spec: z.looseObject({}).default({}),
})

/** An object for the API server. */
export type KubeObject = z.output<typeof objectSchema>

/** The text of a file of deploy/istio. */
export const istioFile = (name: string): Promise<string> => readFile(resolve(FOLDER, name), 'utf8')

/** A text in which paths begin in the folder. */
export const placed = (text: string, { folder }: Pick<Places, 'folder'>): string =>
  text.replaceAll(/\/(?:run|etc)\/countersign\b/g, folder)

/** The objects of a file. */
export const objectsOf = async (name: string, places: Places): Promise<readonly KubeObject[]> =>
  parseAllDocuments(placed(await istioFile(name), places)).map((document) =>
    adapted(objectSchema.parse(document.toJS()), places),
  )

const adapted = ({ spec, ...object }: KubeObject, places: Places): KubeObject => {
  if (object.kind === 'Gateway') return { ...object, spec: listeningAt(spec, places) }
  if (object.kind !== 'ServiceEntry') return { ...object, spec }
  const ports = { 'http-kubernetes': places.apiServer }
  return { ...object, spec: { ...spec, endpoints: [{ address: LOOPBACK, ports }] } }
}

const LOOPBACK = '127.0.0.1'

const gatewaySchema = z.looseObject({
  servers: z.tuple([z.looseObject({ port: z.looseObject({ number: z.literal(443) }) })]),
})

const listeningAt = (spec: KubeObject['spec'], { https, http }: Places): KubeObject['spec'] => {
  const { servers, ...rest } = gatewaySchema.parse(spec)
  const [server] = servers
  return {
    ...rest,
    servers: [
      { ...server, bind: LOOPBACK, port: { ...server.port, number: https } },
      { port: { number: http, name: 'http', protocol: 'HTTP' }, bind: LOOPBACK, hosts: ['*'] },
    ],
  }
}

/** A VirtualService that publishes another host of the application that accepts every client. */
export const published = (host: string, route: object): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: host.split('.')[0] ?? host, namespace: 'istio-ingress' },
  spec: {
    hosts: [host],
    gateways: ['countersign'],
    http: [
      {
        ...route,
        route: [
          { destination: { host: 'reports.apps.svc.cluster.local', port: { number: 8080 } } },
        ],
      },
    ],
  },
})

/** The EnvoyFilter for the same routes with logins. */
export const filterWithLogins = async (): Promise<KubeObject> => {
  const values = await istioConfiguration({
    listen: { authz: '127.0.0.1:1', issuer: '127.0.0.1:2' },
    certificateGrants: { keyring: 'file:/grant.keys' },
    issuer: {
      url: 'https://id.example.org',
      keys: '/keys',
      login: { authenticators: ['staff-password'] },
      clients: { cli: { grantTypes: ['device_code'] } },
    },
  })
  return objectSchema.parse(parse(renderEnvoyFilter(configOf('/etc/countersign', values))))
}

/** An EnvoyFilter of another operator, which adds a protocol to change to. */
export const addingUpgrade = (type: string): KubeObject => {
  const manager = 'envoy.filters.network.http_connection_manager'
  const settings = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    upgrade_configs: [{ upgrade_type: type }],
  }
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'upgrade-of-another-operator', namespace: 'istio-ingress' },
    spec: {
      configPatches: [
        {
          applyTo: 'NETWORK_FILTER',
          match: {
            context: 'GATEWAY',
            listener: { filterChain: { filter: { name: manager } } },
          },
          patch: { operation: 'MERGE', value: { typed_config: settings } },
        },
      ],
    },
  }
}

/** A replacement for a Service: a cluster without nodes has no endpoints that a proxy could reach. */
export const serviceAt = (
  host: string,
  port: number,
  protocol: 'HTTP' | 'HTTPS' | 'GRPC',
  actual: number,
): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name: host.split('.')[0] ?? host, namespace: host.split('.')[1] ?? '' },
  spec: {
    hosts: [host],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports: [{ number: port, name: 'port', protocol }],
    endpoints: [{ address: LOOPBACK, ports: { port: actual } }],
  },
})

const meshSchema = z.object({
  meshConfig: z.looseObject({ extensionProviders: z.array(z.looseObject({})) }),
})

/** What the mesh has to know. */
export const meshConfig = async (): Promise<z.output<typeof meshSchema>['meshConfig']> =>
  meshSchema.parse(parse(await istioFile('mesh-config.yaml'))).meshConfig

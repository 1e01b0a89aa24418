// Rules about the endpoints of the clusters of authz and of the issuer: each worker is one, and each is a worker (`workers` of
// countersign.yaml).

import { basename } from 'node:path'
import { formatAddress, type Address } from '../../../config/values.ts'
import { when, type Rule } from '../rule.ts'
import { addressOf } from '../view/cluster.ts'
import type { Setting } from '../view/setting.ts'
import type { Site } from '../view/site.ts'

/** A cluster whose endpoints are workers. */
export interface WorkerCluster {
  readonly site: Site
  readonly cluster: Setting
  /** Its endpoints, as far as they were seen. */
  readonly endpoints: readonly Setting[]
}

/** An endpoint with an address that can be compared. */
interface Endpoint {
  readonly at: Setting
  readonly address: Address
}

/** The rules about the workers' endpoints of one service. */
const workerRules = (service: 'authz' | 'issuer'): readonly Rule<WorkerCluster>[] => [
  {
    id: `${service}-worker-missing`,
    severity: 'warning',
    problem: `a worker is not an endpoint of the cluster of ${service}`,
    risk: 'it receives no request, so that its core is not used',
    remedy: `an endpoint for each worker: generate Envoy’s configuration again, or list the addresses of all workers as envoy.${service}Address`,
    istio: 'a Service has one port for all its pods: use more pods in place of `workers`',
    find: ({ site, cluster, endpoints }) => {
      const workers = site.expected?.[service] ?? []
      const seen = comparable(endpoints)
      if (workers.length < 2 || seen.length === 0) return []
      const isSame = comparison(workers, seen)
      const missing = workers
        .filter((worker) => !seen.some(({ address }) => isSame(worker, address)))
        .map(formatAddress)
      return when(missing.length > 0, cluster.get('load_assignment'), {
        detail: missing.join(', '),
      })
    },
  },
  {
    id: `${service}-worker-unknown`,
    severity: 'warning',
    problem: `an endpoint of the cluster of ${service} is not the address of a worker`,
    risk: 'Envoy sends it a part of the requests, which fail where no process listens',
    remedy: `remove it, or set workers of countersign.yaml to the number of endpoints; where it is authz of another configuration, list all addresses as envoy.${service}Address`,
    find: ({ site, endpoints }) => {
      const workers = site.expected?.[service] ?? []
      const seen = comparable(endpoints)
      const isSame = comparison(workers, seen)
      const isWorker = ({ address }: Endpoint): boolean =>
        workers.some((worker) => isSame(worker, address))
      // A single worker may be behind an address that countersign.yaml does not know, such as that of a Service.
      const places = new Set(seen.filter(isWorker).map(({ address }) => placeOf(address)))
      return seen
        .filter((endpoint) => !isWorker(endpoint))
        .filter(({ address }) => workers.length > 1 || places.has(placeOf(address)))
        .map(({ at, address }) => ({ at, detail: formatAddress(address) }))
    },
  },
]

/** Rules about the endpoints of authz. */
export const authzWorkerRules = workerRules('authz')

/** Rules about the endpoints of the issuer. */
export const issuerWorkerRules = workerRules('issuer')

const comparable = (endpoints: readonly Setting[]): readonly Endpoint[] =>
  endpoints.flatMap((endpoint): readonly Endpoint[] => {
    const at = addressOf(endpoint)
    const [path, socket] = [at.get('pipe', 'path').text, at.get('socket_address')]
    if (path !== '') return [{ at, address: { kind: 'unix', path } }]
    const [host, port] = [socket.get('address').text, socket.get('port_value').count]
    return host === '' || port === undefined ? [] : [{ at, address: { kind: 'tcp', host, port } }]
  })

/**
 * Whether an endpoint is that of a worker. Where none has the very address of any worker, Envoy knows their machine or folder by
 * another name: ports, and names of sockets, are then all that there is to go by. Pods listen at every address.
 */
const comparison = (
  workers: readonly Address[],
  endpoints: readonly Endpoint[],
): ((worker: Address, endpoint: Address) => boolean) => {
  const known = new Set(endpoints.map(({ address }) => formatAddress(address)))
  const isNamed = workers.some((worker) => known.has(formatAddress(worker)))
  return (worker, endpoint) => {
    if (formatAddress(worker) === formatAddress(endpoint)) return true
    const isAnywhere = worker.kind === 'tcp' && ['0.0.0.0', '::'].includes(worker.host)
    return (isAnywhere || !isNamed) && lastPart(worker) === lastPart(endpoint)
  }
}

/** What differs between workers of one machine. */
const lastPart = (address: Address): string =>
  address.kind === 'unix' ? basename(address.path) : String(address.port)

/** What is equal for workers of one machine. */
const placeOf = (address: Address): string =>
  address.kind === 'unix' ? address.path.slice(0, -basename(address.path).length) : address.host

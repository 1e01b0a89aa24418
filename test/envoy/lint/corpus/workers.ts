// Faults of the endpoints of authz: those of its workers, and no other.

import { AUTHZ_CLUSTER, type Fault } from './case.ts'

const AUTHZ_ENDPOINTS = `${AUTHZ_CLUSTER}.load_assignment.endpoints[0].lb_endpoints`
const pipe = (name: string): object => ({
  endpoint: { address: { pipe: { path: `/run/countersign/${name}` } } },
})
const socket = (address: string, port: number): object => ({
  endpoint: { address: { socket_address: { address, port_value: port } } },
})
const WORKERS = ['authz.sock', 'authz-1.sock', 'authz-2.sock'].map(
  (name) => ({ kind: 'unix', path: `/run/countersign/${name}` }) as const,
)

/** What can be wrong with the endpoints of authz. */
export const workerFaults: readonly Fault[] = [
  {
    name: 'a cluster with one of three workers',
    change: [],
    rule: 'authz-worker-missing',
    severity: 'warning',
    at: `${AUTHZ_CLUSTER}.load_assignment`,
    expected: { authz: WORKERS },
  },
  {
    name: 'a cluster with the port of one of two workers',
    change: [[AUTHZ_ENDPOINTS, [socket('127.0.0.1', 9001)]]],
    rule: 'authz-worker-missing',
    severity: 'warning',
    at: `${AUTHZ_CLUSTER}.load_assignment`,
    expected: {
      authz: [9001, 9002].map((port) => ({ kind: 'tcp', host: '0.0.0.0', port })),
    },
  },
  {
    name: 'an endpoint of a second worker, where there is one',
    change: [[AUTHZ_ENDPOINTS, [pipe('authz.sock'), pipe('authz-1.sock')]]],
    rule: 'authz-worker-unknown',
    severity: 'warning',
    at: `${AUTHZ_ENDPOINTS}[1].endpoint.address`,
  },
  {
    name: 'an endpoint of a third worker, where there are two',
    change: [[AUTHZ_ENDPOINTS, [9001, 9002, 9003].map((port) => socket('127.0.0.1', port))]],
    rule: 'authz-worker-unknown',
    severity: 'warning',
    at: `${AUTHZ_ENDPOINTS}[2].endpoint.address`,
    expected: {
      authz: [9001, 9002].map((port) => ({ kind: 'tcp', host: '127.0.0.1', port })),
    },
  },
]

// Upstreams of the `envoy` section whose settings do not fit together.

import type { Locate } from '../../config/document.ts'
import type { Problem } from '../../config/problem.ts'
import { isLoopback, type Address } from '../../config/values.ts'
import type { Config } from '../schema.ts'
import type { Upstream } from '../upstream-schema.ts'

/** Everything that is wrong with the upstreams. */
export const upstreamProblems = ({ envoy, routes }: Config, locate: Locate): readonly Problem[] =>
  Object.entries(envoy?.upstreams ?? {}).flatMap(([name, upstream]) => {
    const presents = routes.some(
      ({ name: route, upstream: target = route, forward }) =>
        target === name && forward.certificate !== undefined,
    )
    return [...faultsOf(upstream), ...(presents ? identityFaults(upstream) : [])].map(
      ({ key, message }) =>
        locate(['envoy', 'upstreams', name, ...(key === undefined ? [] : [key])], message),
    )
  })

interface Fault {
  readonly key?: keyof Upstream
  readonly message: string
}

const faultsOf = (upstream: Upstream): readonly Fault[] => {
  const { address: addresses, ca, certificate, key } = upstream
  const faults: Fault[] = []
  if ((certificate === undefined) !== (key === undefined)) {
    faults.push({ message: 'set both "certificate" and "key"' })
  }
  if (ca === undefined) faults.push(...plaintextFaults(upstream))
  else faults.push(...tlsFaults(upstream))
  const named = addresses.some((address) => address.kind === 'tcp' && !isAddress(address.host))
  if (named && addresses.some(({ kind }) => kind === 'unix')) {
    faults.push({
      key: 'address',
      message: 'names of hosts and UNIX sockets cannot be in one list',
    })
  }
  return faults
}

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':')

const plaintextFaults = ({ address, plaintext, ...upstream }: Upstream): readonly Fault[] => [
  ...(plaintext || address.every(isLoopback)
    ? []
    : [
        {
          message:
            'needs "ca", the CA of its server certificate. For HTTP without TLS, set "plaintext: true": then everyone on the way to it can read and forge credentials',
        },
      ]),
  ...(['serverName', 'certificate', 'key'] as const)
    .filter((key) => upstream[key] !== undefined)
    .map((key) => ({ key, message: 'is for TLS, which needs "ca"' })),
]

const tlsFaults = ({ address, plaintext, serverName }: Upstream): readonly Fault[] => {
  const hosts = new Set(address.map(hostOf))
  return [
    ...(plaintext
      ? [{ key: 'plaintext' as const, message: 'contradicts "ca": with it, Envoy uses TLS' }]
      : []),
    ...(serverName === undefined && (hosts.size > 1 || hosts.has(undefined))
      ? [{ message: 'needs "serverName", the name in its certificates' }]
      : []),
  ]
}

const hostOf = (address: Address): string | undefined =>
  address.kind === 'tcp' ? address.host : undefined

/** Of one that receives a certificate for each identity. */
const identityFaults = ({ ca, healthCheck }: Upstream): readonly Fault[] => [
  ...(ca === undefined
    ? [{ message: 'needs "ca": a route forwards a client certificate to it, over TLS' }]
    : []),
  ...(healthCheck === undefined
    ? []
    : [
        {
          key: 'healthCheck' as const,
          message:
            'has no identity, and a route forwards a client certificate of each identity to this upstream: remove it',
        },
      ]),
]

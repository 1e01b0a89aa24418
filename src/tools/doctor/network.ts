// Names and upstreams: whether this machine resolves each host of the configuration, and whether the upstreams of
// Envoy present a certificate that Envoy will accept.

import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { formatAddress } from '../../config/values.ts'
import type { Upstream } from '../../configuration/upstream-schema.ts'
import { ok, type Bench, type Examination, type Judgement } from './examination.ts'

/** One examination for each host name in the targets of other examinations. */
export const nameExaminations = (others: readonly Examination[]): readonly Examination[] => {
  const hosts = new Map<string, Examination>()
  for (const other of others) {
    const host = hostOf(other.target)
    if (host !== undefined && !hosts.has(host)) hosts.set(host, other)
  }
  return [...hosts].map(([host, { path }]) => ({
    area: 'dns',
    target: host,
    path,
    ask: async () => {
      const addresses = await lookup(host, { all: true })
      return ok(addresses.map(({ address }) => address).join(', '))
    },
  }))
}

/** The host that has to be resolved; none of addresses, sockets, and descriptions. */
const hostOf = (target: string): string | undefined => {
  if (target.startsWith('unix:') || target.includes(' ')) return undefined
  const url = URL.parse(target.includes('://') ? target : `tcp://${target}`)
  const host = url?.hostname.replaceAll(/^\[|\]$/g, '') ?? ''
  return host === '' || host === 'localhost' || isIP(host) !== 0 ? undefined : host
}

/** The examinations of the upstreams that Envoy reaches over TCP. */
export const upstreamExaminations = (bench: Bench): readonly Examination[] =>
  Object.entries(bench.config.envoy?.upstreams ?? {}).flatMap(([name, upstream]) =>
    upstream.address.flatMap((address) =>
      address.kind === 'unix'
        ? []
        : [
            {
              area: 'upstream' as const,
              target: formatAddress(address),
              path: ['envoy', 'upstreams', name],
              ask: async (signal: AbortSignal) => await connects(upstream, address, bench, signal),
            },
          ],
    ),
  )

const connects = async (
  upstream: Upstream,
  { host, port }: Endpoint,
  { files }: Bench,
  signal: AbortSignal,
): Promise<Judgement> => {
  const { ca, certificate, key, serverName = host } = upstream
  if (ca === undefined) {
    await connected(connectTcp({ host, port }), 'connect', signal)
    return ok('accepts connections, without TLS')
  }
  const own =
    certificate === undefined || key === undefined
      ? {}
      : { cert: await files.read(certificate), key: await files.read(key) }
  const material = { host, port, ca: await files.read(ca), ...own }
  // An address cannot be sent as SNI (RFC 6066 §3); the certificate is compared with it all the same.
  const named = isIP(serverName) === 0 ? { servername: serverName } : {}
  await connected(connectTls({ ...material, ...named }), 'secureConnect', signal)
  return ok(`presents a certificate for ${serverName} of the configured CA`)
}

interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Waits until a socket is connected, and closes it. */
const connected = async (
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const end = (): void => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  socket.once(event, resolve).once('error', reject)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', end)
    socket.destroy()
  }
}

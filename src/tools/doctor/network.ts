// Names and upstreams: whether this machine resolves each host of the configuration, and whether the upstreams of
// Envoy present a certificate that Envoy will accept.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { formatAddress } from '../../config/values.ts'
import { ok, type Bench, type Examination } from './examination.ts'

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

/** The examinations of the upstreams that Envoy reaches over TLS. */
export const upstreamExaminations = (bench: Bench): readonly Examination[] =>
  Object.entries(bench.config.envoy?.upstreams ?? {}).flatMap(([name, upstream]) => {
    const { address } = upstream
    if (address.kind === 'unix') return []
    return [
      {
        area: 'upstream' as const,
        target: formatAddress(address),
        path: ['envoy', 'upstreams', name],
        ask: async (signal: AbortSignal) => {
          const { files } = bench
          const ca = await files.read(upstream.ca)
          const { certificate, key } = upstream
          const own =
            certificate === undefined || key === undefined
              ? {}
              : { cert: await files.read(certificate), key: await files.read(key) }
          const serverName = upstream.serverName ?? address.host
          await handshake({ ...address, ca, ...own, serverName }, signal)
          return ok(`presents a certificate for ${serverName} of the configured CA`)
        },
      },
    ]
  })

interface Handshake {
  readonly host: string
  readonly port: number
  readonly ca: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly serverName: string
}

const handshake = async (
  { host, port, serverName, ...material }: Handshake,
  signal: AbortSignal,
): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({
    host,
    port,
    ...material,
    // An address cannot be sent as SNI (RFC 6066 §3); the certificate is compared with it all the same.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  })
  const end = (): void => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  socket.once('secureConnect', resolve).once('error', reject)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', end)
    socket.destroy()
  }
}

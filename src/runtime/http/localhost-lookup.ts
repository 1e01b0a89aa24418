// Name resolution in which every name below localhost is this machine, as in browsers and curl. The resolvers of most
// Linux machines do not know such names.

import { lookup } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

/** Names that end in `.localhost` are loopback addresses (RFC 6761 §6.3); the system resolves all else. */
export const localhostLookup: LookupFunction = (hostname, options, callback) => {
  if (!/\.localhost\.?$/i.test(hostname)) {
    lookup(hostname, options, callback)
    return
  }
  const wanted = Number(String(options.family ?? 0).replace('IPv', ''))
  const found = LOOPBACK.filter(({ family }) => wanted === 0 || family === wanted)
  // As the system's: later, never before this function returns.
  process.nextTick(() => {
    if (options.all === true) callback(null, [...found])
    else callback(null, found[0]?.address ?? '', found[0]?.family)
  })
}

// The service in a separate process, whose memory it alone uses.

import { systemClock } from '../../src/runtime/clock.ts'
import { startBuiltInServer } from '../../src/runtime/grpc/built-in-server.ts'
import { streamLimits } from '../../src/runtime/grpc/limits.ts'
import { createLogger } from '../../src/runtime/logger.ts'
import type { Issued } from '../../src/ca/issuer.ts'
import { sdsService } from '../../src/sds/service.ts'

const [path = '', maxStreams = '10000'] = process.argv.slice(2)
const logger = createLogger('warn')

// As long as what the signer makes: a P-256 leaf with its CA, and its key.
const certificate = (version: string): Issued => ({
  outcome: 'issued',
  certificateChain: Buffer.alloc(1_600, 'c'),
  privateKey: Buffer.alloc(240, 'k'),
  version,
  ttl: 3_600_000,
})
const REFUSED = { outcome: 'refused', code: 'authority-unknown' } as const
const issuer = {
  issue: (name: string) =>
    Promise.resolve(name.startsWith('refused') ? REFUSED : certificate(name.slice(0, 10))),
  refuseForm: (name: string) => (name.length > 6_000 ? Promise.resolve(REFUSED) : undefined),
  isCurrent: () => true,
}
const sds = sdsService({ issuer, clock: systemClock, logger, maxNames: 100_000 })
await startBuiltInServer({
  address: { kind: 'unix', path },
  mode: 0o600,
  tls: undefined,
  streams: sds.methods,
  limits: streamLimits(Number(maxStreams)),
  grace: 0,
  logger,
})

process.on('message', () => {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send?.({ ...sds.statistics(), rss, live: heapUsed + external })
})
process.once('disconnect', () => process.exit())
process.send?.('listening')

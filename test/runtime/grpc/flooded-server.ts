// A Countersign server in a separate process, for tests of what floods cost it.
//
//   flooded-server.ts built-in|grpc-js|streams PATH|tcp

import { startGrpcServer } from '../../../src/runtime/grpc/server.ts'
import { startBuiltInServer } from '../../../src/runtime/grpc/built-in-server.ts'
import { streamLimits } from '../../../src/runtime/grpc/limits.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { createLogger } from '../../../src/runtime/logger.ts'

const [kind = '', place = ''] = process.argv.slice(2)
const address: ListenAddress =
  place === 'tcp' ? { kind: 'tcp', host: '127.0.0.1', port: 0 } : { kind: 'unix', path: place }
const logger = createLogger('error')
const common = { address, mode: 0o600, tls: undefined, methods: [], grace: 0, logger }

const server =
  kind === 'built-in' || kind === 'grpc-js'
    ? await startGrpcServer({ ...common, server: kind })
    : await startBuiltInServer({ ...common, limits: streamLimits(5_000) })

process.on('message', () => {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  process.send?.({ live: heapUsed + external, cpu: (user + system) / 1_000 })
})
process.once('disconnect', () => process.exit())
process.send?.(server.address)

// The secret discovery service on a real socket, with a scripted issuer behind it.

import { startBuiltInServer } from '../../src/runtime/grpc/built-in-server.ts'
import { streamLimits } from '../../src/runtime/grpc/limits.ts'
import type { ListenAddress } from '../../src/runtime/listen.ts'
import { sdsService } from '../../src/sds/service.ts'
import type { UnheldCertificates } from '../../src/sds/issuances.ts'
import type { SdsStatistics } from '../../src/sds/statistics.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { FakeClock } from './clock.ts'
import { memoryLogger } from './logger.ts'
import { SdsClient } from './sds-client.ts'
import { FakeIssuer } from './secret-issuer.ts'

/** A running service, and a connection to it. */
export interface FakeSds extends AsyncDisposable {
  readonly address: ListenAddress
  readonly client: SdsClient
  readonly issuer: FakeIssuer
  readonly clock: FakeClock
  readonly log: readonly string[]
  statistics(): SdsStatistics
  unheld(): UnheldCertificates
  /** Stops the server and leaves the rest. */
  stop(): Promise<void>
}

/** Starts the service. */
export const startSds = async (grace = 5_000, maxNames = 2_000): Promise<FakeSds> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const issuer = new FakeIssuer()
  const clock = new FakeClock()
  const { logger, lines } = memoryLogger()
  const sds = sdsService({ issuer, clock, logger, maxNames })
  const server = await startBuiltInServer({
    address: { kind: 'unix', path: folder.file('sds.sock') },
    mode: 0o600,
    tls: undefined,
    streams: sds.methods,
    limits: streamLimits(10_000),
    grace,
    logger,
  })
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopped ??= Promise.resolve(server[Symbol.asyncDispose]())
    await stopped
  }
  stack.defer(stop)
  const client = stack.use(new SdsClient(server.address))
  const owned = stack.move()
  return {
    address: server.address,
    client,
    issuer,
    clock,
    log: lines,
    statistics: () => sds.statistics(),
    unheld: () => sds.unheld(),
    stop,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

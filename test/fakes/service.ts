// The ext_authz service on a real socket, with fakes behind it.

import assert from 'node:assert/strict'
import type { DecisionEvent } from '../../src/audit/event.ts'
import { SILENT } from '../../src/check/observer.ts'
import { checkMethod, type CheckServiceOptions } from '../../src/check/service.ts'
import { startGrpcServer, type ListenAddress } from '../../src/runtime/grpc/server.ts'
import { MemoryAudit } from './audit-sink.ts'
import { FakeClock } from './clock.ts'
import { fakeAuthenticator, type FakeAnswer } from './authenticator.ts'
import { EnvoyClient, type Outcome } from './envoy-client.ts'
import { memoryLogger } from './logger.ts'
import type { RouteParts } from './route.ts'
import { snapshotOf } from './snapshot.ts'

/** A running service, a client of it, and what it wrote. */
export interface FakeService extends AsyncDisposable {
  readonly client: EnvoyClient
  readonly audit: MemoryAudit
  readonly log: readonly string[]
}

const LOOPBACK: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 }

/** Starts the service with a configuration in force. */
export const startService = async (
  current: CheckServiceOptions['current'],
  address: ListenAddress = LOOPBACK,
  observer: CheckServiceOptions['observer'] = SILENT,
  { logger, lines } = memoryLogger(),
): Promise<FakeService> => {
  const audit = new MemoryAudit()
  const server = await startGrpcServer({
    address,
    mode: 0o600,
    tls: undefined,
    methods: [checkMethod({ current, audit, clock: new FakeClock(), logger, observer })],
    grace: 1_000,
    logger,
  })
  const client = new EnvoyClient(server.address)
  return {
    client,
    audit,
    log: lines,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Starts the service with one route. */
export const startRoute = async (
  route: RouteParts,
  address?: ListenAddress,
): Promise<FakeService> => {
  const value = snapshotOf([route])
  return await startService(() => ({ value, generation: 3 }), address)
}

/** The authenticator of a route, with that answer. */
export const answering = (answer: FakeAnswer): RouteParts => ({
  authenticators: [fakeAuthenticator('staff', answer)],
})

/** The one event that there must be since the last call; it must agree with the answer. */
export const eventOf = ({ audit }: Pick<FakeService, 'audit'>, outcome: Outcome): DecisionEvent => {
  const [event, ...more] = audit.takeDecisions()
  assert.ok(event !== undefined && more.length === 0)
  assert.equal(event.id, outcome.id)
  assert.equal(event.decision, outcome.allow ? 'allow' : 'deny')
  return event
}

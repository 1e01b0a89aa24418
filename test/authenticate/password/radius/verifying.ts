// RADIUS verifiers for tests, against servers at 127.0.0.1.

import {
  radiusSchema,
  type RadiusSettings,
} from '../../../../src/authenticate/password/radius/schema.ts'
import { RadiusVerifier } from '../../../../src/authenticate/password/radius/verifier.ts'
import { connectServer } from '../../../../src/clients/radius/connect.ts'
import { RequestTemplate } from '../../../../src/clients/radius/request.ts'
import { RADIUS_TUNING, type RadiusTuning } from '../../../../src/clients/radius/tuning.ts'
import { Secret } from '../../../../src/config/references.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import { FAKE_SECRET } from '../../../fakes/radius-server.ts'
import { memoryLogger } from '../../../fakes/logger.ts'

/** A signal that never aborts. */
export const FOREVER = new AbortController().signal

/** One server. */
export type RadiusServer = RadiusSettings['servers'][number]

/** What a test sets: settings and tuning. */
export type RadiusOptions = Partial<Omit<RadiusSettings, 'servers'> & RadiusTuning>

/** A verifier, and what it has logged. */
export interface LoggingRadius extends RadiusVerifier {
  readonly lines: readonly string[]
}

const { servers: _none, ...DEFAULTS } = radiusSchema.parse({
  servers: [{ host: 'radius.example.org', secret: 'env:SECRET' }],
})

/** A server at this port of 127.0.0.1. */
export const serverAt = (
  port: number,
  credentials: Partial<Pick<RadiusServer, 'secret' | 'tls'>>,
): RadiusServer => ({ host: '127.0.0.1', port, secret: undefined, tls: undefined, ...credentials })

/** A verifier for fake servers, in this order. */
export const radiusAt = (
  servers: readonly { readonly port: number }[],
  options: RadiusOptions = {},
): LoggingRadius =>
  radiusWith(
    servers.map(({ port }) => serverAt(port, { secret: new Secret(FAKE_SECRET) })),
    // A busy machine answers late: tests of retransmission set a shorter interval.
    { timeout: 20_000, retransmitAfter: 10_000, coolDown: 200, ...options },
  )

/** A verifier with these options. */
export const radiusWith = (
  servers: readonly RadiusServer[],
  options: RadiusOptions = {},
): LoggingRadius => {
  const { logger, lines } = memoryLogger()
  const clock = systemClock
  const settings = { ...DEFAULTS, servers, ...options }
  const tuning = { ...RADIUS_TUNING, ...options }
  const template = new RequestTemplate(settings)
  const resources = { status: template.status, tuning, clock, logger }
  const connected = servers.map((server) => connectServer(server, settings, resources))
  const verifier = new RadiusVerifier(settings, { clock, servers: connected, template, tuning })
  return Object.assign(verifier, { lines })
}

/** Waits. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

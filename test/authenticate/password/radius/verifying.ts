// RADIUS verifiers for tests: impatient, and against servers at 127.0.0.1.

import { Radius } from '../../../../src/authenticate/password/radius/verifier.ts'
import type { RadiusOptions } from '../../../../src/authenticate/password/radius/options.ts'
import { SharedSecret } from '../../../../src/clients/radius/secret.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import { FAKE_SECRET } from '../../../fakes/radius-server.ts'
import { memoryLogger } from '../../../fakes/logger.ts'

/** For whoever does not leave. */
export const FOREVER = new AbortController().signal

/** A verifier, and what it has logged. */
export interface LoggingRadius extends Radius {
  readonly lines: readonly string[]
}

/** A verifier for fake servers, in this order. */
export const radiusAt = (
  servers: readonly { readonly port: number }[],
  options: Omit<RadiusOptions, 'servers'> = {},
): LoggingRadius =>
  radiusWith({
    servers: servers.map(({ port }) => ({
      host: '127.0.0.1',
      port,
      secret: new SharedSecret(FAKE_SECRET),
    })),
    // A busy machine answers late: a test of what is sent again has a shorter interval.
    timeout: 20_000,
    retransmitAfter: 10_000,
    coolDown: 200,
    ...options,
  })

/** A verifier with these options. */
export const radiusWith = (options: RadiusOptions): LoggingRadius => {
  const { logger, lines } = memoryLogger()
  return Object.assign(new Radius(options, { clock: systemClock, logger }), { lines })
}

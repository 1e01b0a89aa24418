// State in a Redis of the tests, opened as authz opens it.

import type { RedisServer } from '../../../src/state/redis/primary.ts'
import type { StateSettings } from '../../../src/state/settings.ts'
import type { StateSecret } from '../../../src/state/state-secret.ts'
import { secretOf } from '../sealing.ts'

/** Settings of a server. */
export const redisSettings = (
  server: RedisServer,
  secret: StateSecret = secretOf(),
): Extract<StateSettings, { kind: 'redis' }> => ({
  kind: 'redis',
  server,
  prefix: 'countersign:',
  secret,
})

/** Tries again until it no longer throws, and gives the milliseconds that took. */
export const eventually = async (
  attempt: () => Promise<unknown>,
  limit = 10_000,
): Promise<number> => {
  const start = performance.now()
  for (;;) {
    try {
      await attempt()
      return performance.now() - start
    } catch (cause) {
      if (performance.now() - start > limit) throw cause
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

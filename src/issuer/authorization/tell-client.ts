// Back-channel logout outside of a request to the provider: it tells clients by itself only where a
// person logs out at its own endpoint.

import type { Provider } from 'oidc-provider'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { IssuerMetrics } from '../metrics.ts'
import type { TellClient } from '../session/sign-out.ts'

/** Tells clients of a provider; those that have nowhere to be told are left alone. */
export const tellClientsOf =
  (provider: Provider, metrics: IssuerMetrics, logger: Logger): TellClient =>
  async (id, user, sid) => {
    try {
      const client = await provider.Client.find(id)
      if (client?.backchannelLogoutUri !== undefined && isTellable(client)) {
        await client.backchannelLogout(user, sid)
        metrics.clientTold('told')
      }
    } catch (cause) {
      metrics.clientTold('failed')
      logger.warn({ client: id, reason: describeError(cause) }, 'client not told of a logout')
    }
  }

/** The method is there, and not in the types. */
interface Tellable {
  backchannelLogout(user: string, sid: string): Promise<void>
}

const isTellable = (client: object): client is Tellable =>
  'backchannelLogout' in client && typeof client.backchannelLogout === 'function'

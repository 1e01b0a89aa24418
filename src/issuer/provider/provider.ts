// The authorization server: `oidc-provider` with the settings of the configuration, in the log and in metrics.

import { Provider } from 'oidc-provider'
import { SESSION_CLIENT } from '../../logins/session-client.ts'
import { ENDPOINTS } from '../http/paths.ts'
import { configurationOf, type ProviderParts } from './configuration.ts'
import { DevicePolls } from './device-polls.ts'
import { storeLoginFields } from './login-fields.ts'
import { keepContextsAsValues } from './request-context.ts'
import { TokenExchange } from './token-exchange.ts'

/** Makes a provider. It changes with the configuration, and with the keys. */
export const createProvider = (parts: ProviderParts): Provider => {
  const { server, signers, accounts, statusOf, clock } = parts
  const exchange = accounts && new TokenExchange({ server, signers, statusOf, clock })
  const provider = new Provider(server.url, configurationOf(parts, exchange))
  keepContextsAsValues(provider)
  storeLoginFields(provider)
  exchange?.serve(provider)
  // Envoy terminates TLS: only `issuer.url` has the public scheme and host (see application.ts).
  provider.proxy = true
  report(provider, parts)
  return provider
}

/** What it does by itself, for the log and for metrics. */
const report = (provider: Provider, { metrics, clock, logger }: ProviderParts): void => {
  const polls = new DevicePolls()
  provider.on('grant.error', (ctx, { message }) => {
    const code = ctx.oidc.params?.['device_code']
    const isWaiting = message === 'authorization_pending' && typeof code === 'string'
    if (!isWaiting || !polls.isTooSoon(code, clock.monotonic())) {
      return metrics.tokensRefused(message)
    }
    ctx.body = { error: 'slow_down', error_description: 'wait 5 seconds longer each time' }
    metrics.tokensRefused('slow_down')
  })
  provider.on('server_error', (ctx, error) => {
    logger.error({ err: error }, 'request failed')
    if (ctx.path === ENDPOINTS.token) metrics.tokensRefused('server_error')
  })
  provider.on('backchannel.success', (_ctx, { clientId }) => {
    if (clientId !== SESSION_CLIENT) metrics.clientNotified('delivered') // which is ourselves
  })
  provider.on('backchannel.error', (_ctx, error, { clientId }) => {
    logger.warn({ err: error, client: clientId }, 'back-channel logout request failed')
    if (clientId !== SESSION_CLIENT) metrics.clientNotified('failed')
  })
}

// Back-channel logout (OpenID Connect Back-Channel Logout 1.0) outside of a request to the provider, which notifies clients
// by itself only when a user logs out at its own endpoint. Logins end without such a request too, so this needs the
// signing keys and the clients alone, and no provider that answers requests.

import { Provider, type Adapter, type ClientMetadata } from 'oidc-provider'
import type { AuthorizationServer, RegisteredClient } from '../../check/authorization-server.ts'
import type { SigningAlgorithm } from '../../keys/mint-schema.ts'
import type { SigningKeySet } from '../../keys/signing-key-set.ts'
import type { NotifyClient } from '../../logins/logout.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import { directFetch } from './logout-fetch.ts'
import { ProviderSigningKey } from './signing-key.ts'

/** What a notifier needs. */
export interface ClientNotifierParts {
  readonly metrics: IssuerMetrics
  readonly logger: Logger
}

/** Makes the notifier of an authorization server; clients without `backchannelLogout` are skipped. */
export const clientNotifier = (
  server: AuthorizationServer,
  keys: SigningKeySet,
  { metrics, logger }: ClientNotifierParts,
): NotifyClient => {
  const notified = new Set(server.clients.filter(isNotified).map(({ id }) => id))
  let latest: { readonly keys: string; readonly provider: Provider } | undefined
  const currentProvider = (): Provider => {
    const states = keys.statuses().map(({ kid, state }) => `${kid}=${state}`)
    const signing = states.join()
    if (latest?.keys !== signing) latest = { keys: signing, provider: providerOf(server, keys) }
    return latest.provider
  }
  return async (id, user, sid) => {
    if (!notified.has(id)) return
    try {
      const client = await currentProvider().Client.find(id)
      if (client === undefined || !isNotifiable(client)) throw new TypeError('an unknown client')
      await client.backchannelLogout(user, sid)
      metrics.clientNotified('delivered')
    } catch (cause) {
      metrics.clientNotified('failed')
      logger.warn(
        { client: id, reason: describeError(cause) },
        'back-channel logout request failed',
      )
    }
  }
}

const isNotified = ({ config }: RegisteredClient): boolean => config.backchannelLogout !== undefined

/** Signs logout tokens, and sends them. It answers no request. */
const providerOf = (
  { url, clients, login }: AuthorizationServer,
  keys: SigningKeySet,
): Provider => {
  const signers = keys.signers()
  const algorithm = login?.config.algorithm ?? 'ES256'
  return new Provider(url, {
    adapter: () => NO_STORE,
    clients: clients.filter(isNotified).map((client) => notifiedClient(client, algorithm)),
    fetch: directFetch,
    jwks: { keys: signers.map((signer) => new ProviderSigningKey(signer)) },
    clientAuthMethods: ['none'],
    responseTypes: ['code'],
    enabledJWA: {
      idTokenSigningAlgValues: [...new Set(signers.map(({ algorithm: one }) => one))],
    },
    features: {
      devInteractions: { enabled: false },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      backchannelLogout: { enabled: true },
    },
  })
}

const nothing = async (): Promise<undefined> => await Promise.resolve(undefined)

// Its clients are configured, and a logout token is not stored.
const NO_STORE: Adapter = {
  upsert: nothing,
  find: nothing,
  findByUserCode: nothing,
  findByUid: nothing,
  consume: nothing,
  destroy: nothing,
  revokeByGrantId: nothing,
}

const notifiedClient = (
  { id, config: { backchannelLogout } }: RegisteredClient,
  algorithm: SigningAlgorithm,
): ClientMetadata => ({
  client_id: id,
  token_endpoint_auth_method: 'none',
  grant_types: [],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: algorithm,
  ...(backchannelLogout !== undefined && { backchannel_logout_uri: backchannelLogout }),
  backchannel_logout_session_required: true,
})

/** The library's method is not in its types. */
interface Notifiable {
  backchannelLogout(user: string, sid: string): Promise<void>
}

const isNotifiable = (client: object): client is Notifiable =>
  'backchannelLogout' in client && typeof client.backchannelLogout === 'function'

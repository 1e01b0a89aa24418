// The authorization server: `oidc-provider` with the settings of the configuration, restricted to RFC 9700: codes with PKCE,
// exact redirect URIs, refresh tokens that are valid once.

import { errors, Provider, type ClientMetadata, type Configuration } from 'oidc-provider'
import type { LoginStatusLookup } from '../../logins/status.ts'
import type { AuthorizationServer, Login } from '../../check/authorization-server.ts'
import type { TokenSigner } from '../../keys/signing-key-set.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RevocableRecords } from '../../state/record-store.ts'
import { SESSION_CLIENT } from '../../logins/session-client.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import { INTERACTION_SECONDS, type BrowserBinding } from './browser-binding.ts'
import type { LinkSession } from './link-session.ts'
import { interactionUrl } from './interaction-url.ts'
import { ENDPOINTS } from '../http/paths.ts'
import type { Accounts } from '../../logins/accounts.ts'
import type { BrowserRecords } from './browser-records.ts'
import { claimsByScope } from './claims-by-scope.ts'
import { clientMetadata } from './client-metadata.ts'
import type { DeviceLimits } from './device-limits.ts'
import { DevicePolls } from './device-polls.ts'
import { ProviderSigningKey } from './signing-key.ts'
import { grantOf } from './grants.ts'
import { interactionPolicy } from './interaction-policy.ts'
import { accountFinder, claimsOf, hasEndedLogin } from './login-claims.ts'
import { storeLoginFields } from './login-fields.ts'
import { parameterLimits } from './parameter-limits.ts'
import type { ProviderPages } from './provider-pages.ts'
import { RecordAdapter } from './record-adapter.ts'
import { keepContextsAsValues } from './request-context.ts'
import { resourceInfo } from './resource-info.ts'
import { TokenExchange } from './token-exchange.ts'

/** The parts of a provider. */
export interface ProviderParts {
  readonly server: AuthorizationServer
  readonly signers: readonly TokenSigner[]
  /** Absent without `issuer.login`. */
  readonly accounts: Accounts | undefined
  readonly records: RevocableRecords
  /** Keeps what belongs to a browser that has proven nothing. */
  readonly browserRecords: BrowserRecords
  /** Signs the cookie of the session, so that forged ones are not looked up. */
  readonly cookieKey: string
  /** The client of the routes' sessions. */
  readonly sessionClient: ClientMetadata | undefined
  /** Sends logout tokens to clients. */
  readonly fetch: typeof globalThis.fetch
  readonly pages: ProviderPages
  /** The status of a login, by its id. */
  readonly statusOf: LoginStatusLookup
  readonly linkSession: LinkSession
  readonly binding: BrowserBinding
  readonly deviceLimits: DeviceLimits
  readonly metrics: IssuerMetrics
  readonly clock: Clock
  readonly logger: Logger
}

// Times in seconds that the configuration does not set. RFC 6749 §4.1.2 recommends 10 minutes at most for a
// code; programs come for it at once.
const CODE_S = 60
const DEVICE_CODE_S = 600
/** Of tokens for the userinfo endpoint. */
const OPAQUE_TOKEN_S = 600

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

const configurationOf = (
  parts: ProviderParts,
  exchange: TokenExchange | undefined,
): Configuration => {
  const { server, signers, accounts, records, cookieKey, pages, sessionClient } = parts
  const { linkSession, statusOf, binding, browserRecords } = parts
  const { login, clients } = server
  const idTokens = login?.config.algorithm ?? 'ES256'
  const secure = server.url.startsWith('https:')
  const cookies = { httpOnly: true, sameSite: 'lax', secure, signed: true, path: '/' } as const
  return {
    adapter: (kind: string) => new RecordAdapter(kind, records, browserRecords),
    routes: ENDPOINTS,
    clients: [
      ...clients.map((client) => clientMetadata(client, idTokens)),
      ...(sessionClient === undefined ? [] : [sessionClient]),
    ],
    fetch: parts.fetch,
    jwks: { keys: signers.map((signer) => new ProviderSigningKey(signer)) },
    findAccount: accountFinder(parts),
    claims: claimsByScope(login),
    extraParams: parameterLimits(parts),
    scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    // Upstreams such as kube-apiserver read ID tokens and no userinfo.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    enabledJWA: {
      idTokenSigningAlgValues: [...new Set(signers.map(({ algorithm }) => algorithm))],
    },
    cookies: {
      // RFC 6265bis §4.1.3; those of a login under way have a path of their own, which "__Host-" bars.
      names: {
        session: `${secure ? '__Host-' : ''}countersign-login`,
        interaction: `${secure ? '__Secure-' : ''}countersign-interaction`,
        resume: `${secure ? '__Secure-' : ''}countersign-resume`,
      },
      keys: [cookieKey],
      long: cookies,
      // Not signed: each interaction has a cookie that cannot be forged (`BrowserBinding`), and browsers
      // keep 180 of a domain at most.
      short: { httpOnly: true, sameSite: 'lax', secure, signed: false },
    },
    features: {
      devInteractions: { enabled: false },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: login !== undefined, ...pages.device },
      introspection: {
        enabled: true,
        // RFC 7662 §2.1: the resource server has to authenticate; §2.2: what is revoked is not active.
        allowedPolicy: async (ctx, client, token) =>
          client.clientAuthMethod !== 'none' &&
          !('accountId' in token && (await hasEndedLogin(ctx, token, statusOf))),
      },
      revocation: {
        enabled: true,
        // RFC 7009 §2.1.
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: login !== undefined, ...pages.logout },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: resourceIndicators(server),
    },
    async extraTokenClaims(ctx, token) {
      if (token.kind !== 'AccessToken') return undefined
      const claims = await claimsOf(ctx, token, accounts)
      return claims && { ...claims, ...exchange?.claimsOf(token) }
    },
    interactions: {
      policy: interactionPolicy(),
      url(ctx, interaction) {
        binding.begin(ctx.req, ctx.res, interaction)
        return interactionUrl(interaction)
      },
    },
    async loadExistingGrant(ctx) {
      await linkSession(ctx) // the first call with a known account
      return await grantOf(ctx, server)
    },
    rotateRefreshToken: () => true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    renderError: pages.error,
    ttl: lifetimes(login),
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
  }
}

type Features = NonNullable<Configuration['features']>

const resourceIndicators = ({
  clients,
  resources,
}: AuthorizationServer): NonNullable<Features['resourceIndicators']> => ({
  enabled: true,
  // RFC 8707 §2.2: what was granted at the authorization endpoint need not be requested again.
  useGrantedResource: () => true,
  getResourceServerInfo(_ctx, indicator, client) {
    const resource = resources.get(indicator)
    const allowed = clients.find(({ id }) => id === client.clientId)?.config.resources ?? []
    if (resource === undefined || !allowed.includes(indicator)) throw new errors.InvalidTarget()
    return resourceInfo(resource)
  },
})

const lifetimes = (login: Login | undefined): NonNullable<Configuration['ttl']> => {
  const longest = seconds(login?.config.maxLifetime ?? 0) || INTERACTION_SECONDS
  const idle = seconds(login?.config.idleTimeout ?? 0) || INTERACTION_SECONDS
  return {
    AuthorizationCode: CODE_S,
    Interaction: INTERACTION_SECONDS,
    DeviceCode: DEVICE_CODE_S,
    AccessToken: (_ctx, { resourceServer }) => resourceServer?.accessTokenTTL ?? OPAQUE_TOKEN_S,
    ClientCredentials: (_ctx, { resourceServer }) =>
      resourceServer?.accessTokenTTL ?? OPAQUE_TOKEN_S,
    IdToken: seconds(login?.config.lifetime ?? 0) || OPAQUE_TOKEN_S,
    Grant: longest,
    // A session ends when it is idle, or so long after its login, whichever comes first. Without a login it is that of a
    // form at most, which its browser keeps.
    Session: (_ctx, { loginTs }) =>
      loginTs === undefined
        ? INTERACTION_SECONDS
        : Math.max(1, Math.min(idle, loginTs + longest - now())),
    RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? longest,
  }
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000)

const now = (): number => seconds(Date.now())

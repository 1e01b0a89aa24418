// The settings of `oidc-provider` for a configuration, restricted to RFC 9700: codes with PKCE, exact redirect URIs, refresh
// tokens that are valid once.

import { errors, type ClientMetadata, type Configuration } from 'oidc-provider'
import type { LoginStatusLookup } from '../../logins/status.ts'
import type { AuthorizationServer, Login } from '../../check/authorization-server.ts'
import type { TokenSigner } from '../../keys/signing-key-set.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RevocableRecords } from '../../state/record-store.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import { INTERACTION_SECONDS, type BrowserBinding } from './browser-binding.ts'
import type { LinkSession } from './link-session.ts'
import { interactionUrl } from './interaction-url.ts'
import { ENDPOINTS } from '../http/paths.ts'
import type { Accounts } from '../../logins/accounts.ts'
import type { BrowserRecords } from './browser-records.ts'
import { clientMetadata } from './client-metadata.ts'
import type { DeviceLimits } from './device-limits.ts'
import { ProviderSigningKey } from './signing-key.ts'
import { grantOf } from './grants.ts'
import { interactionPolicy } from './interaction-policy.ts'
import { accountFinder, claimsOf, hasEndedLogin } from './login-claims.ts'
import { parameterLimits } from './parameter-limits.ts'
import type { ProviderPages } from './provider-pages.ts'
import { RecordAdapter } from './record-adapter.ts'
import { resourceInfo } from './resource-info.ts'
import type { TokenExchange } from './token-exchange.ts'
import type { SigningAlgorithm } from '../../keys/mint-schema.ts'

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

type Features = NonNullable<Configuration['features']>

/** The settings of `oidc-provider`. */
export const configurationOf = (
  parts: ProviderParts,
  exchange: TokenExchange | undefined,
): Configuration => {
  const { server, records, pages, browserRecords } = parts
  return {
    adapter: (kind: string) => new RecordAdapter(kind, records, browserRecords),
    routes: ENDPOINTS,
    fetch: parts.fetch,
    findAccount: accountFinder(parts),
    extraParams: parameterLimits(parts),
    renderError: pages.error,
    features: featuresOf(parts),
    ...clientSettings(parts),
    ...tokenSettings(parts, exchange),
    ...interactionSettings(parts),
    ttl: lifetimes(server.login),
  }
}

/** Which clients there are, and what they may use: codes with PKCE. */
const clientSettings = ({ server, sessionClient }: ProviderParts) =>
  ({
    clients: [
      ...server.clients.map((client) => clientMetadata(client, idTokenAlgorithm(server))),
      ...(sessionClient === undefined ? [] : [sessionClient]),
    ],
    responseTypes: ['code'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
  }) satisfies Configuration

const idTokenAlgorithm = ({ login }: AuthorizationServer): SigningAlgorithm =>
  login?.config.algorithm ?? 'ES256'

/** What tokens contain, and how they are signed. */
const tokenSettings = (
  { server, signers, accounts }: ProviderParts,
  exchange: TokenExchange | undefined,
) =>
  ({
    jwks: { keys: signers.map((signer) => new ProviderSigningKey(signer)) },
    enabledJWA: {
      idTokenSigningAlgValues: [...new Set(signers.map(({ algorithm }) => algorithm))],
    },
    scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    claims: claimsByScope(server.login),
    // Upstreams such as kube-apiserver read ID tokens and no userinfo.
    conformIdTokenClaims: false,
    async extraTokenClaims(ctx, token) {
      if (token.kind !== 'AccessToken') return undefined
      const claims = await claimsOf(ctx, token, accounts)
      return claims && { ...claims, ...exchange?.claimsOf(token) }
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: () => true,
  }) satisfies Configuration

/** How a browser logs in: its cookies, its interactions, what it has granted. */
const interactionSettings = ({ server, cookieKey, binding, linkSession }: ProviderParts) => {
  const secure = server.url.startsWith('https:')
  const cookie = { httpOnly: true, sameSite: 'lax', secure } as const
  return {
    cookies: {
      // RFC 6265bis §4.1.3; those of a login under way have a path of their own, which "__Host-" bars.
      names: {
        session: `${secure ? '__Host-' : ''}countersign-login`,
        interaction: `${secure ? '__Secure-' : ''}countersign-interaction`,
        resume: `${secure ? '__Secure-' : ''}countersign-resume`,
      },
      keys: [cookieKey],
      long: { ...cookie, signed: true, path: '/' },
      // Not signed: each interaction has a cookie that cannot be forged (`BrowserBinding`), and browsers
      // keep 180 of a domain at most.
      short: { ...cookie, signed: false },
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
  } satisfies Configuration
}

/** The specifications that are supported. */
const featuresOf = ({ server, pages, statusOf }: ProviderParts): Features => ({
  devInteractions: { enabled: false },
  externalSigningSupport: { enabled: true, ack: 'experimental-01' },
  clientCredentials: { enabled: true },
  deviceFlow: { enabled: server.login !== undefined, ...pages.device },
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
  rpInitiatedLogout: { enabled: server.login !== undefined, ...pages.logout },
  pushedAuthorizationRequests: { enabled: true },
  resourceIndicators: resourceIndicators(server),
})

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

// OpenID Connect Core §5.4.
const PROFILE = [
  'name',
  'family_name',
  'given_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'updated_at',
]
const EMAIL = ['email', 'email_verified']

/** The names of the claims by scope; those of the configuration belong to `openid`. */
const claimsByScope = (login: Login | undefined): NonNullable<Configuration['claims']> => {
  const names = Object.keys(login?.config.claims ?? {})
  const special = new Set([...PROFILE, ...EMAIL])
  return {
    openid: [
      'sub',
      'amr',
      'acr',
      'auth_time',
      'grant_id',
      ...names.filter((name) => !special.has(name)),
    ],
    profile: PROFILE,
    email: EMAIL,
    groups: ['groups'],
  }
}

// The authorization server of authz, as configured: its clients, resources and
// logins. Its answers are made elsewhere.

import type { ChainLink } from '../authenticate/chain.ts'
import { authenticatorsNamed } from '../configuration/route-authenticators.ts'
import type { ClientConfig, ResourceConfig } from '../configuration/client-schema.ts'
import type { LoginMethod } from '../authenticate/login/prove.ts'
import { loginWait } from '../authenticate/password/schema.ts'
import type { LoginConfig } from '../logins/schema.ts'
import type { SigningAlgorithm } from '../keys/mint-schema.ts'
import type { Config, RouteConfig } from '../configuration/schema.ts'
import type { SessionConfig } from '../authenticate/session/schema.ts'
import { readSecret } from '../config/secret.ts'
import { loadTheme, type Theme } from '../pages/theme.ts'
import { CountersignError } from '../runtime/errors.ts'
import { TokenTemplate } from '../transform/token/token-template.ts'
import type { AuthenticatorParts } from '../authenticate/parts.ts'
import { requireKey, type Issuer } from '../keys/issuer.ts'
import { buildUpstreamIdps, type UpstreamIdpSettings } from '../logins/upstream-idp/build.ts'

/** A client, and its secret where it has one. */
export interface RegisteredClient {
  readonly id: string
  readonly config: ClientConfig
  readonly secret: string | undefined
}

/** A service that tokens are for. */
export interface ResourceServer {
  readonly uri: string
  readonly config: ResourceConfig
  /** The user claims of its tokens; absent if users cannot log in. */
  readonly template: TokenTemplate | undefined
}

/** How users log in. */
export interface Login {
  readonly config: LoginConfig
  readonly methods: readonly LoginMethod[]
  /** How long one step may take, in milliseconds. */
  readonly wait: number
  /** Elsewhere to log in. */
  readonly providers: readonly UpstreamIdpSettings[]
  /** The user claims of ID tokens. */
  readonly template: TokenTemplate
}

/** The configured authorization server. */
export interface AuthorizationServer {
  /** `iss`. */
  readonly url: string
  readonly clients: readonly RegisteredClient[]
  readonly resources: ReadonlyMap<string, ResourceServer>
  readonly login: Login | undefined
  /** The sessions of routes, by the host of their cookie. */
  readonly sessions: ReadonlyMap<string, SessionConfig>
  /** How its pages look. */
  readonly theme: Theme
}

/** What building needs. */
export interface AuthorizationServerParts extends Pick<
  AuthenticatorParts,
  'problems' | 'files' | 'logger'
> {
  readonly issuer: Issuer | undefined
  /** The authenticators that were built, by name. */
  readonly links: ReadonlyMap<string, ChainLink>
}

// RFC 6749 §10.10 wants that a secret cannot be guessed: 128 bits, also in hexadecimal digits.
const SHORTEST_SECRET = 32

/** Reads what the server needs; `undefined` where there are no clients, or there are problems. */
export const buildAuthorizationServer = async (
  { issuer: config, authenticators, routes }: Pick<Config, 'issuer' | 'authenticators' | 'routes'>,
  parts: AuthorizationServerParts,
): Promise<AuthorizationServer | undefined> => {
  const { problems, issuer } = parts
  if (config === undefined || issuer === undefined) return undefined
  const sessions = sessionsByHost({ authenticators, routes })
  if (Object.keys(config.clients).length === 0 && sessions.size === 0) return undefined
  const { login, resources, clients, url } = config
  const theme = await problems.collect(['issuer', 'theme'], () =>
    loadTheme(config.theme, parts.files),
  )
  if (theme === undefined) return undefined
  const see = async (path: readonly string[], algorithm: SigningAlgorithm): Promise<void> => {
    await problems.collect(['issuer', ...path, 'algorithm'], async () =>
      requireKey(issuer, algorithm),
    )
  }
  if (login !== undefined) await see(['login'], login.algorithm)
  for (const [uri, { algorithm }] of Object.entries(resources)) {
    await see(['resources', uri], algorithm)
  }
  const registered: RegisteredClient[] = []
  for (const [id, client] of Object.entries(clients)) {
    const secret = await problems.collect(['issuer', 'clients', id, 'secret'], () =>
      secretOf(client, parts),
    )
    registered.push({ id, config: client, secret })
  }
  const providers = await buildUpstreamIdps(login?.providers ?? {}, parts)
  return {
    url,
    clients: registered,
    resources: new Map(
      Object.entries(resources).map(([uri, resource]) => [
        uri,
        { uri, config: resource, template: login && templateOf(login, resource.claims, url) },
      ]),
    ),
    login: login && {
      config: login,
      methods: login.authenticators.flatMap((name): readonly LoginMethod[] => {
        const link = parts.links.get(name) // one with problems is not built
        if (link === undefined) return []
        const kind = authenticators[name]?.basic === undefined ? 'certificate' : 'password'
        return [{ kind, link }]
      }),
      wait: loginWait({ issuer: config, authenticators }),
      providers,
      template: templateOf(login, login.claims, url),
    },
    sessions,
    theme,
  }
}

/** The `session` that a route takes, also as part of `all`. */
export const sessionOf = (
  route: Pick<RouteConfig, 'authenticate'>,
  authenticators: Config['authenticators'],
): SessionConfig | undefined =>
  authenticatorsNamed(route)
    .map((name) => authenticators[name]?.session)
    .find((session) => session !== undefined)

const sessionsByHost = ({
  authenticators,
  routes,
}: Pick<Config, 'authenticators' | 'routes'>): ReadonlyMap<string, SessionConfig> => {
  const entries = routes.flatMap((route): readonly (readonly [string, SessionConfig])[] => {
    const session = sessionOf(route, authenticators)
    return session === undefined ? [] : route.match.hosts.map((host) => [host, session])
  })
  // Of a host with several the first: a login returns to one place.
  return new Map(entries.toReversed())
}

const secretOf = async (
  { secret }: ClientConfig,
  { files }: AuthorizationServerParts,
): Promise<string | undefined> => {
  if (secret === undefined) return undefined
  const text = (await readSecret(secret, files)).toString('utf8').trim()
  if (text.length >= SHORTEST_SECRET) return text
  const message = `has ${text.length} characters, where ${SHORTEST_SECRET} or more belong`
  throw new CountersignError('configuration-invalid', message)
}

/** Only the claims about the user; the audience depends on the client's request. */
const templateOf = (
  { subject, groups, allowReserved }: LoginConfig,
  claims: LoginConfig['claims'],
  issuer: string,
): TokenTemplate =>
  new TokenTemplate(
    { kind: 'id_token', audience: [issuer], subject, groups, claims, clientId: '' },
    issuer,
    allowReserved,
  )

// A configuration, built: everything that a check needs, made whole before any check sees it, and
// never changed afterwards.

import { tlsFault } from '../clients/client-tls.ts'
import type { Logins } from '../logins/logins.ts'
import { NO_LOGINS } from '../logins/status.ts'
import { allOf } from '../authenticate/all.ts'
import { Chain, type ChainLink } from '../authenticate/chain.ts'
import type { AuthenticatorParts } from '../authenticate/parts.ts'
import type { ConfigurationFiles } from '../config/files.ts'
import { sendsAuditId } from '../transform/schema.ts'
import type { LimitsConfig } from '../request/limits-schema.ts'
import { readConfig } from '../configuration/parse.ts'
import { ProblemList } from '../config/problem-list.ts'
import type { Config, ListenerConfig, RouteConfig } from '../configuration/schema.ts'
import { describeReference, readSecret } from '../config/secret.ts'
import { readGrantSeal } from '../grant/keyring.ts'
import type { GrantSeal } from '../grant/seal.ts'
import type { Clock } from '../runtime/clock.ts'
import { keepsDerived } from '../runtime/derived.ts'
import type { ServerTls } from '../runtime/listen.ts'
import { readStateSettings, type StateSettings } from '../state/settings.ts'
import { ownHeadersOf } from '../transform/headers/own.ts'
import { placesOf, placesWithout } from '../transform/strip.ts'
import type { Transformer } from '../transform/transformer.ts'
import {
  buildAuthorizationServer,
  sessionOf,
  type AuthorizationServer,
} from '../check/authorization-server.ts'
import { buildLink } from '../authenticate/build.ts'
import type { Dependency } from '../clients/parts.ts'
import { buildAuthorization, type Authorization } from '../authorize/build.ts'
import { buildForwarding } from '../transform/build.ts'
import { buildIssuer, type Issuer } from '../keys/issuer.ts'
import type { SnapshotResources } from './resources.ts'
import type { LoginRedirect } from './answer/login-redirect.ts'
import { readTracing, type TracingSettings } from './tracing.ts'
import type { PhaseDurations } from './phase-durations.ts'
import { RouteTable, type Route } from './route.ts'

/**
 * A configuration in force. A check takes one and keeps it to its end. Disposing of it ends the
 * connections of its verifiers; one that is only replaced lets them end when they are idle.
 */
export interface Snapshot extends AsyncDisposable {
  readonly config: Config
  readonly routes: RouteTable
  /** TLS material of the listener of ext_authz, when it speaks TLS. */
  readonly tls: ServerTls | undefined
  /** The same of the issuer. */
  readonly issuerTls: ServerTls | undefined
  /** Whether Envoy counts proxies in front of it (`envoy.listener.trustedHops`). */
  readonly behindProxies: boolean
  /** How large requests may be (`limits`). */
  readonly limits: LimitsConfig
  /** By which rules and credentials are judged. */
  readonly clock: Clock
  /** Measures the waits of checks. */
  readonly phases: PhaseDurations
  /** What it has of {@link SnapshotResources} that ends when no configuration in force has it. */
  readonly inUse: ReadonlySet<object>
  /** What seals grants for the signer, where a keyring is configured. */
  readonly seal: GrantSeal | undefined
  /** The issuer of tokens, where one is configured. */
  readonly issuer: Issuer | undefined
  /** The authorization server, where there are clients. */
  readonly authorizationServer: AuthorizationServer | undefined
  /** The logins at that server, where one runs. */
  readonly logins: Logins | undefined
  /** What `state` would be opened with. */
  readonly stateSettings: StateSettings | undefined
  /** What tracing would be begun with. */
  readonly tracingSettings: TracingSettings | undefined
  /** The servers that its authenticators, its rules and its transforms call. */
  readonly dependencies: readonly Dependency[]
}

/**
 * Reads a configuration and everything it names.
 *
 * @throws ConfigurationError with every problem found
 */
export const buildSnapshot = async (
  file: string,
  files: ConfigurationFiles,
  resources: SnapshotResources,
): Promise<Snapshot> => {
  const { config, locate } = await readConfig(file, files)
  const problems = new ProblemList(locate)
  const builder = new Builder(files, problems)
  const connections = new AsyncDisposableStack()
  const inUse = new Set<object>()
  const dependencies: Dependency[] = []
  const links = new Map<string, ChainLink>()
  const loginIssuer = config.issuer?.login && config.issuer.url
  const parts = { ...resources, files, problems, connections, inUse, loginIssuer, dependencies }
  const build = async (
    names: readonly string[],
    more: Pick<AuthenticatorParts, 'loginStatus' | 'issuer'>,
  ) => {
    for (const [name, authenticator] of Object.entries(config.authenticators)) {
      if (!names.includes(name)) continue
      const link = await buildLink(name, authenticator, { ...parts, ...more })
      if (link !== undefined) links.set(name, link)
    }
  }
  // Those of the login page first: they verify logins, whose status those of sessions and tokens look up.
  const atLogin = config.issuer?.login?.authenticators ?? []
  await build(atLogin, { loginStatus: NO_LOGINS })
  const issuer = await buildIssuer(config.issuer, parts)
  const authorizationServer = await buildAuthorizationServer(config, { ...parts, issuer, links })
  const logins =
    issuer && authorizationServer && (await openLogins(authorizationServer, issuer, resources))
  const loginStatus = resources.loginStatus ?? logins?.status ?? NO_LOGINS
  const others = Object.keys(config.authenticators).filter((name) => !atLogin.includes(name))
  await build(others, { loginStatus, issuer })
  const authorizations = new Map<string, Authorization>()
  for (const [index, route] of config.routes.entries()) {
    const authorization = await buildAuthorization(route, ['routes', index], {
      ...parts,
      loginStatus,
    })
    if (authorization !== undefined) authorizations.set(route.name, authorization)
  }
  const tls = await builder.tls('authz', config.listen.authz.tls)
  const issuerTls = await builder.tls('issuer', config.listen.issuer?.tls)
  const stateSettings = await readStateSettings(config.state, files, problems)
  const tracingSettings = await readTracing(config, files, problems)
  const seal = await builder.seal(config)
  const transformers = new Map<string, readonly Transformer[]>()
  for (const [index, route] of config.routes.entries()) {
    const built = await buildForwarding(route, ['routes', index, 'forward'], {
      ...parts,
      seal,
      issuer,
    })
    transformers.set(route.name, keepsDerived(built))
  }
  if (problems.error !== undefined) throw problems.error
  const ownHeaders = ownHeadersOf(config.routes)
  const compiled = { links, authorizations, transformers, ownHeaders }
  const login = authorizationServer && (await loginRedirect(authorizationServer, resources))
  const entries = config.routes.map((route) => ({
    match: route.match,
    route: compileRoute(route, {
      ...compiled,
      login: sessionOf(route, config.authenticators) && login,
    }),
  }))
  const behindProxies = (config.envoy?.listener.trustedHops ?? 0) > 0
  return {
    config,
    routes: new RouteTable(entries),
    tls,
    issuerTls,
    behindProxies,
    limits: config.limits,
    clock: resources.clock,
    phases: resources.phases,
    inUse,
    seal,
    issuer,
    authorizationServer,
    logins,
    stateSettings,
    tracingSettings,
    dependencies,
    [Symbol.asyncDispose]: () => connections.disposeAsync(),
  }
}

class Builder {
  readonly #files: ConfigurationFiles
  readonly #problems: ProblemList

  constructor(files: ConfigurationFiles, problems: ProblemList) {
    this.#files = files
    this.#problems = problems
  }

  /** Reads a listener's TLS files, and sees that the key belongs to the certificate. */
  async tls(
    listener: 'authz' | 'issuer',
    tls: ListenerConfig['tls'],
  ): Promise<ServerTls | undefined> {
    if (tls === undefined) return undefined
    const path = ['listen', listener, 'tls']
    const read = (key: string, step: () => Promise<Buffer>): Promise<Buffer | undefined> =>
      this.#problems.collect([...path, key], step)
    const certificate = await read('certificate', () => this.#files.read(tls.certificate))
    const key = await read('key', () => readSecret(tls.key, this.#files))
    const clientCa = await read('clientCa', () => this.#files.read(tls.clientCa))
    if (certificate === undefined || key === undefined || clientCa === undefined) return undefined
    const names = {
      ca: tls.clientCa,
      certificate: tls.certificate,
      key: describeReference(tls.key),
    }
    const fault = tlsFault({ ca: clientCa, client: { certificate, key } }, names)
    if (fault !== undefined) {
      const field = fault.path.at(-1)
      this.#problems.add([...path, field === 'ca' ? 'clientCa' : String(field)], fault.message)
      return undefined
    }
    return { certificate, key, clientCa }
  }

  /** Reads the keyring that is shared with the signer. */
  async seal({ certificateGrants }: Config): Promise<GrantSeal | undefined> {
    if (certificateGrants === undefined) return undefined
    const { keyring } = certificateGrants
    return await this.#problems.collect(['certificateGrants', 'keyring'], () =>
      readGrantSeal(keyring, this.#files),
    )
  }
}

/** What the routes of one configuration share. */
interface RouteParts {
  readonly links: ReadonlyMap<string, ChainLink>
  readonly authorizations: ReadonlyMap<string, Authorization>
  readonly transformers: ReadonlyMap<string, readonly Transformer[]>
  /** The headers that the configuration sets on some route. */
  readonly ownHeaders: readonly string[]
  /** Where the browsers of the route log in. */
  readonly login: LoginRedirect | undefined
}

const compileRoute = (route: RouteConfig, parts: RouteParts): Route => {
  const chain = new Chain(route.authenticate.map((entry) => linkOf(entry, parts.links)))
  const authorization = parts.authorizations.get(route.name)
  const { forward } = route
  const places = forward.passthrough ? placesWithout : placesOf
  if (authorization === undefined) throw new Error(`no rules for ${route.name}`) // refused before
  return {
    name: route.name,
    kind: route.kind,
    chain,
    ...authorization,
    transformers: parts.transformers.get(route.name) ?? [],
    places: places(chain.locations, parts.ownHeaders),
    maxHeaderBytes: forward.maxHeaderBytes,
    sendsAuditId: sendsAuditId(route.kind, forward),
    onAuditFailure: route.onAuditFailure,
    login: parts.login,
  }
}

// The code of logins is loaded where there is an authorization server.
const openLogins = async (
  server: AuthorizationServer,
  issuer: Issuer,
  resources: SnapshotResources,
): Promise<Logins | undefined> => {
  if (resources.logins === undefined) return undefined
  const { loginsOf } = await import('./logins.ts')
  return await loginsOf(server, { ...resources, resources: resources.logins, issuer })
}

const loginRedirect = async (
  { url: issuer, theme }: AuthorizationServer,
  { state }: SnapshotResources,
): Promise<LoginRedirect> => {
  const { LoginRedirect: Redirect } = await import('./answer/login-redirect.ts')
  const { LoginAttempts } = await import('../logins/login-attempts.ts')
  return new Redirect({ issuer, theme, attempts: new LoginAttempts(state.keys) })
}

const linkOf = (
  entry: RouteConfig['authenticate'][number],
  links: RouteParts['links'],
): ChainLink => {
  const named = (name: string): ChainLink => {
    const link = links.get(name)
    if (link === undefined) throw new Error(`no authenticator ${name}`) // parse.ts refuses it
    return link
  }
  if (typeof entry === 'string') return named(entry)
  return allOf(entry.all.map(named), entry.sameUser)
}

// The settings of countersign.yaml with which Envoy's configuration must agree.

import { sessionOf } from '../../check/authorization-server.ts'
import { authzAddresses, issuerAddresses } from '../../configuration/workers.ts'
import type { Config } from '../../configuration/schema.ts'
import type { Address } from '../../config/values.ts'
import { namedHeaders } from '../strip.ts'
import { credentialsByRoute, type Credential } from './credentials.ts'

/** What is expected of Envoy. */
export interface Expectations {
  /** The names of all routes. */
  readonly routes: ReadonlySet<string>
  /** How long certificates live, in milliseconds, by the routes that forward one. */
  readonly lifetimes: ReadonlyMap<string, number>
  /** Where the credentials of a route come from, by its name. */
  readonly credentials: ReadonlyMap<string, readonly Credential[]>
  /** Whether a route forwards headers, which may come several times. */
  readonly headers: boolean
  /** Where the workers of authz listen, or where Envoy is to look for them. */
  readonly authz: readonly Address[]
  /** The same of the issuer; none where it listens nowhere. */
  readonly issuer: readonly Address[]
  /** Whether the issuer requests a client certificate of Envoy. */
  readonly issuerTls: boolean
  /** The hosts of routes that take sessions. */
  readonly sessionHosts: ReadonlySet<string>
  /** Whether users can log in with certificates. */
  readonly certificateLogin: boolean
  /** The patterns of hosts that routes are for. */
  readonly hosts: ReadonlySet<string>
  /** The names of the routes to Kubernetes API servers. */
  readonly kubernetes: ReadonlySet<string>
  /** Headers beyond those of every configuration that are set, so that no caller may send them. */
  readonly ownHeaders: readonly string[]
}

/** The default lifetime of a certificate. */
export const DEFAULT_LIFETIME_MS = 3_600_000

/** Sets of headers that have several lines of one name. */
const REPEATING: ReadonlySet<string> = new Set(['kubernetes', 'impersonation'])

const mayRepeat = ({ headers, set }: Config['routes'][number]['forward']): boolean =>
  headers.some((preset) => REPEATING.has(preset)) ||
  Object.values(set).some(({ list }) => list === 'lines')

/** What a configuration expects. */
export const expectationsOf = (config: Config): Expectations => {
  const { routes, listen, issuer, authenticators } = config
  return {
    routes: new Set(routes.map(({ name }) => name)),
    lifetimes: new Map(
      routes.flatMap(({ name, forward: { certificate } }): readonly [string, number][] =>
        certificate === undefined ? [] : [[name, certificate.lifetime]],
      ),
    ),
    credentials: credentialsByRoute(config),
    headers: routes.some(({ forward }) => mayRepeat(forward)),
    authz: authzAddresses(config),
    issuer: issuerAddresses(config),
    issuerTls: listen.issuer?.tls !== undefined,
    sessionHosts: new Set(
      routes
        .filter((route) => sessionOf(route, authenticators) !== undefined)
        .flatMap(({ match }) => match.hosts),
    ),
    certificateLogin: (issuer?.login?.authenticators ?? []).some(
      (name) => authenticators[name]?.certificate !== undefined,
    ),
    hosts: new Set(routes.flatMap(({ match }) => match.hosts)),
    kubernetes: new Set(routes.filter(({ kind }) => kind === 'kubernetes').map(({ name }) => name)),
    ownHeaders: namedHeaders(config),
  }
}

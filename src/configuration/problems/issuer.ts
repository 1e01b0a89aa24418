// Problems of the issuer that no single key shows: signing keys that no upstream
// can read, or that are read over a path on which they could be changed; clients that could get no
// token; logins that could be forged.

import { authenticatorsNamed } from '../route-authenticators.ts'
import type { ClientConfig, ResourceConfig } from '../client-schema.ts'
import type { Locate } from '../../config/document.ts'
import type { Problem } from '../../config/problem.ts'
import type { Config, IssuerListenerConfig } from '../schema.ts'
import { isLoopback } from '../../config/values.ts'

/** The problems of `issuer` and of where it is read. */
export const issuerProblems = (config: Config, locate: Locate): readonly Problem[] => {
  const problems: Problem[] = []
  const complain = (path: readonly PropertyKey[], message: string): void => {
    problems.push(locate(path, message))
  }
  aboutListener(config, complain)
  aboutClients(config, complain)
  aboutLogin(config, complain)
  aboutSessions(config, complain)
  return problems
}

type Complain = (path: readonly PropertyKey[], message: string) => void

const aboutListener = ({ issuer, listen }: Config, complain: Complain): void => {
  if (issuer !== undefined && listen.issuer === undefined) {
    complain(
      ['issuer'],
      'needs an address where upstreams read the keys, which Envoy publishes: "listen.issuer"',
    )
  }
  if (issuer === undefined && listen.issuer !== undefined) {
    complain(['listen', 'issuer'], 'there is nothing to be read there without "issuer"')
  }
  if (
    listen.issuer !== undefined &&
    !listen.issuer.plaintext &&
    listen.issuer.tls === undefined &&
    !isLoopback(listen.issuer.address)
  ) {
    complain(
      ['listen', 'issuer'],
      'a TCP address that is not loopback needs "tls", or "plaintext: true" for key sets alone: an attacker who can change the key set on the way can sign tokens',
    )
  }
}

/** Whether a peer of the listener has proven to be Envoy, so that its statements about callers are trusted. */
const provesPeers = ({ address, tls }: IssuerListenerConfig): boolean =>
  address.kind === 'unix' || tls !== undefined

/**
 * What a login page on a listener without proven peers comes to: for `countersign validate` and
 * `countersign test`.
 */
export const issuerWarnings = ({ issuer, listen }: Config, locate: Locate): readonly Problem[] => {
  if (issuer?.login === undefined || listen.issuer === undefined) return []
  if (provesPeers(listen.issuer)) return []
  const message =
    'is a TCP address without "tls": caller addresses sent by Envoy are not trusted there, so lock-outs, audit and sessions see the address of Envoy for every caller, and one attacker locks out all users. Beyond this machine passwords cross the network in the clear. Listen on a UNIX socket, or set "tls"'
  return [locate(['listen', 'issuer'], message)]
}

/** The grants by which a user logs in. */
const forPeople = ({ grantTypes }: ClientConfig): boolean =>
  grantTypes.includes('authorization_code') || grantTypes.includes('device_code')

const aboutSessions = ({ issuer, authenticators, routes }: Config, complain: Complain): void => {
  for (const [index, route] of routes.entries()) {
    const { match } = route
    const name = authenticatorsNamed(route).find(
      (one) => authenticators[one]?.session !== undefined,
    )
    if (name === undefined) continue
    if (issuer?.login === undefined) {
      complain(
        ['authenticators', name, 'session'],
        'needs "issuer.login": without it no user can log in',
      )
    }
    for (const [place, host] of match.hosts.entries()) {
      if (!host.includes('*')) continue
      complain(
        ['routes', index, 'match', 'hosts', place],
        `must be a host without "*" where "${name}" is a session: users return to this host after login`,
      )
    }
  }
}

/** Whether some authenticator is a session. */
const hasSessions = ({ authenticators }: Config): boolean =>
  Object.values(authenticators).some(({ session }) => session !== undefined)

const aboutClients = (config: Config, complain: Complain): void => {
  const { issuer } = config
  if (issuer === undefined) return
  const { clients, resources, login, url } = issuer
  const entries = Object.entries(clients)
  const isServer = entries.length > 0 || hasSessions(config)
  if (isServer && new URL(url).pathname !== '/') {
    complain(['issuer', 'url'], 'must have no path where the issuer is an authorization server')
  }
  if (hasSessions(config) && !url.startsWith('https:')) {
    complain(['issuer', 'url'], 'must begin with https:// where there are sessions of browsers')
  }
  for (const [id, client] of entries) {
    if (login === undefined && forPeople(client)) {
      complain(['issuer', 'clients', id], 'needs "issuer.login": without it no user can log in')
    }
    for (const [index, resource] of client.resources.entries()) {
      if (Object.hasOwn(resources, resource)) continue
      complain(['issuer', 'clients', id, 'resources', index], 'is not one of "issuer.resources"')
    }
    for (const key of ['from', 'to'] as const) {
      for (const [index, resource] of (client.exchange?.[key] ?? []).entries()) {
        if (Object.hasOwn(resources, resource)) continue
        complain(
          ['issuer', 'clients', id, 'exchange', key, index],
          'is not one of "issuer.resources"',
        )
      }
    }
    aboutExchangeScopes(
      ['issuer', 'clients', id, 'exchange', 'scopes'],
      client,
      resources,
      complain,
    )
    if (client.exchange !== undefined && login === undefined) {
      complain(
        ['issuer', 'clients', id, 'exchange'],
        'needs "issuer.login": without it there are no tokens of users',
      )
    }
    if (client.grantTypes.includes('client_credentials') && client.resources.length === 0) {
      complain(['issuer', 'clients', id, 'resources'], 'name the resources of "client_credentials"')
    }
  }
}

/** Scopes that token exchange may add: of resources that the client gets tokens for, and that have them. */
const aboutExchangeScopes = (
  path: readonly PropertyKey[],
  { exchange }: ClientConfig,
  resources: Readonly<Record<string, ResourceConfig>>,
  complain: Complain,
): void => {
  for (const [uri, scopes] of Object.entries(exchange?.scopes ?? {})) {
    if (exchange?.to.includes(uri) !== true) {
      complain([...path, uri], 'is not one of "to"')
      continue
    }
    const known = Object.hasOwn(resources, uri) ? (resources[uri]?.scopes ?? []) : []
    for (const [index, name] of scopes.entries()) {
      if (known.includes(name)) continue
      complain([...path, uri, index], `is not one of "scopes" of the resource`)
    }
  }
}

const aboutLogin = (config: Config, complain: Complain): void => {
  const { issuer, listen, authenticators } = config
  if (issuer?.login === undefined) return
  const { login, clients } = issuer
  if (!Object.values(clients).some(forPeople) && !hasSessions(config)) {
    complain(
      ['issuer', 'login'],
      'is not used: there is neither a client nor a session to log in for',
    )
  }
  for (const name of Object.keys(login.providers)) {
    if (!Object.hasOwn(authenticators, name)) continue
    const message =
      'is also the name of an authenticator: the audit log could not distinguish them. Rename one'
    complain(['issuer', 'login', 'providers', name], message)
  }
  for (const [index, name] of login.authenticators.entries()) {
    const path = ['issuer', 'login', 'authenticators', index]
    const authenticator = authenticators[name]
    if (authenticator === undefined) complain(path, 'is not one of "authenticators"')
    else if (authenticator.basic === undefined && authenticator.certificate === undefined) {
      complain(path, 'cannot be used at the login page: "basic" and "certificate" can')
    } else if (
      authenticator.certificate !== undefined &&
      listen.issuer !== undefined &&
      !provesPeers(listen.issuer)
    ) {
      complain(
        path,
        'needs "listen.issuer" to be a UNIX socket, or to have "tls": the caller’s certificate is accepted from an authenticated Envoy only',
      )
    }
  }
}

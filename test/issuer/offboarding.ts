// A user with everything that a login yields: a session on a route, single sign-on, tokens of several kinds. For
// the tests of what happens to them when the user is removed from the users file or the directory.

import assert from 'node:assert/strict'
import * as openid from 'openid-client'
import { EnvoyClient, type Outcome } from '../fakes/envoy-client.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { until } from '../fakes/until.ts'
import { freePort } from '../servers/ports.ts'
import {
  authorization,
  ISSUER,
  logIn,
  refusalOf,
  startSite,
  type Site,
} from './authorization-server.ts'
import { hasToLogIn, isIn, sessionOn, withSessions, type Credentials } from './session/browsing.ts'

const API = 'https://api.example.org'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** How often users are looked up again, in milliseconds. */
export const RECHECK_MS = 1_000

/** A site whose users are looked up again every second; its tokens are taken at api.example.org. */
export const startOffboarding = async (
  edit: (yaml: string) => string = (yaml) => yaml,
  files: Readonly<Record<string, string>> = {},
): Promise<Site> => {
  const port = await freePort()
  const yaml = withSessions()
    .replace('issuer: "127.0.0.1:0"', `issuer: "127.0.0.1:${port}"`)
    .replace('authenticators: [staff]\n', 'authenticators: [staff]\n    recheck: 1s\n')
    .replace(
      'clients:\n',
      `clients:\n    gateway: { secret: file:secret, grantTypes: [token_exchange], exchange: { from: [${API}], to: [https://ledger.example.org] } }\n`,
    )
    .replace('  resources:\n', '  resources:\n    https://ledger.example.org: {}\n')
    .replace(
      'authenticators:\n  browser',
      `authenticators:\n  tokens: { bearer: { issuer: '${ISSUER}', audiences: [${API}], cacheTtl: 0s, keys: { url: 'http://127.0.0.1:${port}/jwks' } } }\n  browser`,
    )
    .replace(
      'routes:\n',
      'routes:\n  - { name: api, match: { hosts: [api.example.org] }, authenticate: [tokens], authorize: [{ allow: all }], forward: { headers: kubernetes } }\n',
    )
  return await startSite(edit(yaml), files)
}

/** What a user who has logged in has. */
export interface LoggedIn {
  /** Whether the session on a route is good. */
  hasSession(): Promise<boolean>
  /** The identity that the upstream of that route receives. */
  seen(): Promise<Outcome>
  /** Whether another application would be entered without a question. */
  hasSingleSignOn(): Promise<boolean>
  /** The OAuth error of the next refresh; the groups of the new ID token where there is none. */
  refresh(): Promise<string | readonly unknown[]>
  /** The OAuth error of exchanging the JWT access token; `undefined` for none. */
  exchange(): Promise<string | undefined>
  /** Whether the userinfo endpoint answers for the opaque access token. */
  hasUserInfo(): Promise<boolean>
  /** Whether introspection calls the opaque access token active. */
  isActive(): Promise<boolean>
  /** Whether a route that takes JWTs of our own takes this one. */
  isJwtTaken(): Promise<boolean>
}

/** Logs a user in, for everything. */
export const loggedInFully = async (site: Site, credentials: Credentials): Promise<LoggedIn> => {
  const browser = site.browser()
  const [spa, web, gateway] = await Promise.all(
    ['spa', 'web', 'gateway'].map(async (id) => await site.client(id)),
  )
  assert.ok(spa && web && gateway)
  const opaque = await authorization(spa)
  const first = await openid.authorizationCodeGrant(
    spa,
    await logIn(browser, opaque.url, credentials),
    opaque.checks,
  )
  const forApi = await authorization(web, { resource: API, scope: 'openid read' })
  const there = await browser.get(forApi.url)
  const jwt = await openid.authorizationCodeGrant(web, there.url, forApi.checks)
  const cookie = await sessionOn(browser)
  let refreshToken = first.refresh_token ?? ''
  const user: LoggedIn = {
    hasSession: async () => await isIn(site.authz, cookie),
    seen: async () => {
      using client = new EnvoyClient(site.authz.address)
      const headers = [['cookie', cookie]] as const
      return await client.check({ host: 'app.example.org', path: '/', headers })
    },
    hasSingleSignOn: async () => !(await hasToLogIn(browser)),
    refresh: async () => {
      try {
        const tokens = await openid.refreshTokenGrant(spa, refreshToken)
        refreshToken = tokens.refresh_token ?? ''
        const groups: unknown = tokens.claims()?.['groups']
        return Array.isArray(groups) ? groups : []
      } catch (cause) {
        return (await refusalOf(Promise.reject(cause))) ?? ''
      }
    },
    exchange: async () =>
      await refusalOf(
        openid.genericGrantRequest(gateway, EXCHANGE, {
          subject_token: jwt.access_token,
          subject_token_type: ACCESS_TOKEN,
          resource: 'https://ledger.example.org',
        }),
      ),
    hasUserInfo: async () => {
      const headers = { authorization: `Bearer ${first.access_token}` }
      return (await fetch(`http://127.0.0.1:${site.port}/userinfo`, { headers })).ok
    },
    isActive: async () => (await openid.tokenIntrospection(web, first.access_token)).active,
    isJwtTaken: async () => {
      using client = new EnvoyClient(site.authz.address)
      const headers = [['authorization', `Bearer ${jwt.access_token}`]] as const
      return (await client.check({ host: 'api.example.org', path: '/', headers })).allow
    },
  }
  await until(async () => await user.isJwtTaken(), 'the keys of the issuer are not read')
  return user
}

/** Requires that a user has everything that a login yields. */
export const assertEverything = async (user: LoggedIn): Promise<void> => {
  assert.deepEqual(await statusesOf(user), {
    session: true,
    singleSignOn: true,
    exchange: undefined,
    userInfo: true,
    active: true,
    jwt: true,
  })
}

/** What of a login is good. */
const statusesOf = async (user: LoggedIn) => ({
  session: await user.hasSession(),
  singleSignOn: await user.hasSingleSignOn(),
  exchange: await user.exchange(),
  userInfo: await user.hasUserInfo(),
  active: await user.isActive(),
  jwt: await user.isJwtTaken(),
})

/** Requires that nothing that a login gave out is good. */
export const assertNothing = async (user: LoggedIn): Promise<void> => {
  const { exchange, ...rest } = await statusesOf(user)
  const none = { session: false, singleSignOn: false, userInfo: false, active: false, jwt: false }
  assert.deepEqual(rest, none)
  assert.notEqual(exchange, undefined)
  assert.equal(await user.refresh(), 'invalid_grant')
}

/** The users file with another hash for alice's password. */
export const withNewPassword = async (text: string): Promise<string> =>
  text.replace(/(alice: \{ password: )'[^']+'/, `$1'${await cheapHash('another')}'`)

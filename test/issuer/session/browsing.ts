// Users with browsers at a whole authz with sessions, for the tests of logins and of how they end.

import assert from 'node:assert/strict'
import type { Authz } from '../../../src/authz.ts'
import { follow, type Browser, type Visit } from '../../fakes/browser.ts'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import { configuration, ISSUER, type Site } from '../authorization-server.ts'

/** Hosts that take sessions. */
const APP = 'https://app.example.org'
export const OTHER = 'https://other.example.org'

/** The account page. */
export const ACCOUNT = `${ISSUER}/account`

const COOKIE = '__Host-countersign'

/** The configuration of a site with sessions. */
export const withSessions = (state = ''): string =>
  configuration()
    .replace(
      'authenticators:\n  staff:',
      `${state}\nauthenticators:\n  browser: { session: { cacheTtl: 0s } }\n  staff:`,
    )
    .replace('hosts: [app.example.org]', 'hosts: [app.example.org, other.example.org]')
    .replace('authenticate: [staff]', 'authenticate: [browser, staff]')

/** A user and the password. */
export type Credentials = readonly [user: string, password: string]

export const ALICE: Credentials = ['alice', 'wonderland']
export const BOB: Credentials = ['bob', 'builder']

/** Logs in at the account page. */
export const loggedIn = async (
  site: Site,
  [user, password]: Credentials = ALICE,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly browser: Browser; readonly page: Visit }> => {
  const browser = site.browser(headers)
  const login = await browser.get(ACCOUNT)
  const page = await browser.submit(login, '/password', { user, password })
  assert.equal(page.url.href, ACCOUNT, page.body)
  return { browser, page }
}

/** Gives a browser that is logged in a session on a route; the cookie. */
export const sessionOn = async (browser: Browser, host = APP): Promise<string> => {
  // No application listens at the address of the last redirect.
  await follow(browser, `${host}/.countersign/login`)
  const text = browser.cookiesOf(host).get(COOKIE)
  assert.ok(text)
  return `${COOKIE}=${text}`
}

/** Whether authz lets a cookie in. */
export const isIn = async (authz: Authz, cookie: string, host = APP): Promise<boolean> => {
  using client = new EnvoyClient(authz.address)
  const headers = [
    ['accept', 'text/html'],
    ['cookie', cookie],
  ] as const
  return (await client.check({ host: new URL(host).host, path: '/', headers })).allow
}

/** Whether the account page asks the browser for a password. */
export const hasToLogIn = async (browser: Browser): Promise<boolean> =>
  (await browser.get(ACCOUNT)).body.includes('name="password"')

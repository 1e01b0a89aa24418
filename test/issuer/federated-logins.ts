// An upstream IdP (oidc-provider), and sites whose users log in there, for the tests of federated logins.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Browser } from '../fakes/browser.ts'
import { FAKE_CLIENT } from '../fakes/openid-provider.ts'
import { startNodeOidc, type NodeOidc } from '../servers/node-oidc.ts'
import { createPki } from '../servers/pki.ts'
import type { Site } from './authorization-server.ts'
import { callbackOf, siteWith } from './upstream-idp-site.ts'
import { withSessions } from './session/browsing.ts'

const APP = 'https://app.example.org'
const COOKIE = '__Host-countersign'

/** How long the tokens of the upstream IdP are valid, in seconds. */
const LIFETIME_S = 3
/** When they are refreshed in the background, and when they have expired, in milliseconds. */
export const DUE_MS = 2_100
export const OVERDUE_MS = 3_100

/** A browser with a session. */
interface LoggedIn {
  readonly browser: Browser
  /** The same browser at the upstream IdP. */
  readonly browserThere: Browser
  readonly cookie: string
}

/** The upstream IdP, and what tests do with it. */
export interface UpstreamIdp extends AsyncDisposable {
  readonly oidc: NodeOidc
  /** Restores its settings from the start. */
  reset(): Promise<void>
  /** A site whose users log in there, with further configuration of the upstream IdP. */
  start(further?: Readonly<Record<string, unknown>>, state?: string, listen?: string): Promise<Site>
  /** A browser at the upstream IdP, of which it keeps the cookies. */
  browser(): Browser
  /** Logs in at the upstream IdP for a route. */
  sessionBy(site: Site): Promise<LoggedIn>
  /** Waits until the upstream IdP has received one revocation of a refresh token. */
  untilRevoked(): Promise<void>
}

/** Starts it. */
export const startUpstreamIdp = async (): Promise<UpstreamIdp> => {
  await using stack = new AsyncDisposableStack()
  const pki = stack.use(await createPki())
  const oidc = stack.use(
    await startNodeOidc(pki.upstream, [
      {
        client_id: FAKE_CLIENT.id,
        client_secret: FAKE_CLIENT.secret,
        redirect_uris: [callbackOf('corp')],
        post_logout_redirect_uris: [`${callbackOf('corp')}/logout`],
        backchannel_logout_uri: `${callbackOf('corp')}/logout`,
        backchannel_logout_session_required: true,
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        id_token_signed_response_alg: 'ES256',
      },
    ]),
  )
  const ca = await readFile(pki.ca)
  const upstreamBrowser = (): Browser =>
    new Browser({ port: Number(new URL(oidc.issuer).port), tls: { ca } })
  const running = stack.move()
  return {
    oidc,
    browser: upstreamBrowser,
    async reset() {
      oidc.reset()
      Object.assign(oidc.settings, { lifetime: LIFETIME_S, account: 'present', groups: ['staff'] })
      await oidc.start()
    },
    async start(further = {}, state = '', listen = '') {
      const corp = {
        scopes: ['openid', 'profile', 'groups', 'offline_access'],
        parameters: { prompt: 'consent' },
        identity: { user: 'claims.preferred_username', groups: 'claims.groups' },
        ...further,
      }
      const providers = [{ id: 'corp', issuer: oidc.issuer, ca: pki.ca, further: corp }]
      return await siteWith(
        providers,
        '[staff]',
        withSessions(state).replace('issuer: "127.0.0.1:0"', `issuer: "127.0.0.1:0"${listen}`),
      )
    },
    async sessionBy(site) {
      const [browser, browserThere] = [site.browser(), upstreamBrowser()]
      const begun = await browser.get(`${APP}/.countersign/login`)
      const page = await browser.get(begun.url)
      const left = await browser.submit(page, '/provider', { provider: 'corp' })
      const back = await browserThere.get(left.url)
      const done = await browser.get(back.url)
      await browser.get(done.url)
      const text = browser.cookiesOf(APP).get(COOKIE)
      assert.ok(text, done.body)
      return { browser, browserThere, cookie: `${COOKIE}=${text}` }
    },
    async untilRevoked() {
      for (let left = 250; left > 0 && oidc.revoked() === 0; left -= 1) await sleep(20)
      assert.equal(oidc.revoked(), 1)
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

// Two ways to log in that lead to one `sub`: a weak one (groups dev, ops) and a strong one (admins). What a
// login proved is in the tokens of that login, and of no other.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import { decodeJwt } from 'jose'
import type { Browser } from '../fakes/browser.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { authorization, ISSUER, logIn, startSite, type Site } from './authorization-server.ts'
import { ACCOUNT, isIn, sessionOn, withSessions } from './session/browsing.ts'

const API = 'https://api.example.org'
const LEDGER = 'https://ledger.example.org'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const WEAK = ['alice', 'wonderland'] as const
const STRONG = ['alice-admin', 'vorpal'] as const
const WEAK_GROUPS = ['dev', 'ops']
const STRONG_GROUPS = ['admins']

const ADMINS = `
users:
  alice-admin: { password: '${await cheapHash(STRONG[1])}', groups: [admins] }
`

const yaml = withSessions()
  .replace('authenticators: [staff]', 'authenticators: [staff, strong]')
  .replace(
    '  staff: { basic',
    `  strong:
    basic: { realm: Strong, verify: [{ users: { file: admins.yaml } }] }
    identity: { user: '"alice"' }
  staff: { basic`,
  )
  .replace(
    '    robot:',
    `    gateway: { secret: file:secret, grantTypes: [token_exchange], exchange: { from: ['${API}'], to: ['${LEDGER}'] } }
    robot:`,
  )
  .replace('\n  resources:', `\n  resources:\n    ${LEDGER}: { claims: { team: identity.groups } }`)

describe('two logins of one subject', () => {
  let site: Site
  before(async () => {
    site = await startSite(yaml, { 'admins.yaml': ADMINS })
  })
  after(() => site[Symbol.asyncDispose]())

  /** Logs in for a client; in a browser that is logged in already, anew where `prompt` says so. */
  const tokensOf = async (
    id: string,
    credentials: readonly [string, string],
    parameters: Readonly<Record<string, string>> = {},
    browser = site.browser(),
  ) => {
    const client = await site.client(id)
    const { url, checks } = await authorization(client, parameters)
    const back = await logIn(browser, url, credentials)
    const tokens = await openid.authorizationCodeGrant(
      client,
      await consented(browser, back),
      checks,
    )
    return { client, browser, tokens }
  }

  /** Gives consent where the client wants offline access. */
  const consented = async (browser: Browser, back: URL): Promise<URL> => {
    if (back.origin !== ISSUER) return back
    return (await browser.submit(await browser.get(back), '/consent', { answer: 'allow' })).url
  }

  const groupsIn = ({ tokens }: Answer): unknown => tokens.claims()?.['groups']
  interface Answer {
    readonly tokens: openid.TokenEndpointResponseHelpers
  }

  const refreshed = async ({ client, tokens }: Awaited<ReturnType<typeof tokensOf>>) => ({
    client,
    tokens: await openid.refreshTokenGrant(client, tokens.refresh_token ?? ''),
  })

  it('keep their own groups when their tokens are refreshed', async () => {
    const weak = await tokensOf('spa', WEAK)
    const strong = await tokensOf('spa', STRONG)
    assert.deepEqual([groupsIn(weak), groupsIn(strong)], [WEAK_GROUPS, STRONG_GROUPS])
    assert.deepEqual(groupsIn(await refreshed(weak)), WEAK_GROUPS)
    assert.deepEqual(groupsIn(await refreshed(strong)), STRONG_GROUPS)
  })

  it('keep their own groups at the userinfo endpoint', async () => {
    const weak = await tokensOf('spa', WEAK)
    const strong = await tokensOf('spa', STRONG)
    for (const [{ client, tokens }, groups] of [
      [weak, WEAK_GROUPS],
      [strong, STRONG_GROUPS],
    ] as const) {
      const info = await openid.fetchUserInfo(client, tokens.access_token, 'alice')
      assert.deepEqual(info['groups'], groups)
      assert.equal(info['grant_id'], undefined)
    }
  })

  it('keep their own claims in access tokens, refreshed ones included', async () => {
    const parameters = { resource: API, scope: 'openid read offline_access', prompt: 'consent' }
    const weak = await tokensOf('web', WEAK, parameters)
    await tokensOf('web', STRONG, parameters)
    const { tokens } = await refreshed(weak)
    assert.deepEqual(decodeJwt(tokens.access_token)['team'], WEAK_GROUPS)
  })

  it('keep their own groups when a device gets its tokens after another login', async () => {
    const client = await site.client('cli')
    const device = await openid.initiateDeviceAuthorization(client, { scope: 'openid groups' })
    const browser = site.browser()
    const form = await browser.get(device.verification_uri)
    const confirm = await browser.submit(form, '/device', { user_code: device.user_code })
    const login = await browser.submit(confirm, '/device', { confirm: 'yes' })
    const [user, password] = WEAK
    await browser.submit(login, '/password', { user, password })
    await tokensOf('spa', STRONG)
    const tokens = await openid.pollDeviceAuthorizationGrant(client, { ...device, interval: 0 })
    assert.deepEqual(groupsIn({ tokens }), WEAK_GROUPS)
  })

  it('keep their own groups in a token that is exchanged after another login', async () => {
    const parameters = { resource: API, scope: 'openid read' }
    const weak = await tokensOf('web', WEAK, parameters)
    const strong = await tokensOf('web', STRONG, parameters)
    const gateway = await site.client('gateway')
    for (const [{ tokens }, groups] of [
      [weak, WEAK_GROUPS],
      [strong, STRONG_GROUPS],
    ] as const) {
      const answer = await openid.genericGrantRequest(gateway, EXCHANGE, {
        subject_token: tokens.access_token,
        subject_token_type: ACCESS_TOKEN,
        resource: LEDGER,
      })
      assert.deepEqual(decodeJwt(answer.access_token)['team'], groups)
    }
  })

  it('keep their own groups in later authorizations in the browser of each', async () => {
    const weak = await tokensOf('spa', WEAK)
    await tokensOf('spa', STRONG)
    const client = await site.client('web')
    const { url, checks } = await authorization(client)
    const { url: back } = await weak.browser.get(url)
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    assert.deepEqual(groupsIn({ tokens }), WEAK_GROUPS)
  })

  it('are distinguished in one browser, where the user logs in again', async () => {
    const weak = await tokensOf('spa', WEAK, { scope: 'openid groups' })
    const { browser } = weak
    const strong = await tokensOf('web', STRONG, { prompt: 'login' }, browser)
    assert.deepEqual(groupsIn(strong), STRONG_GROUPS)
    assert.deepEqual(groupsIn(await refreshed(weak)), WEAK_GROUPS)
    assert.deepEqual(groupsIn(await refreshed(strong)), STRONG_GROUPS)
    // An authorization from now on belongs to the latest login of this browser.
    const { client } = weak
    const { url, checks } = await authorization(client)
    const tokens = await openid.authorizationCodeGrant(client, (await browser.get(url)).url, checks)
    assert.deepEqual(groupsIn({ tokens }), STRONG_GROUPS)
  })

  it('both end when the session of their browser is ended at the account page', async () => {
    const scope = 'openid groups offline_access'
    const weak = await tokensOf('spa', WEAK, { scope, prompt: 'consent' })
    const { browser } = weak
    const strong = await tokensOf('spa', STRONG, { scope, prompt: 'login consent' }, browser)
    const page = await browser.get(ACCOUNT)
    await browser.submit(page, '/account/here', {})
    for (const { client, tokens } of [weak, strong]) {
      await assert.rejects(openid.refreshTokenGrant(client, tokens.refresh_token ?? ''), {
        error: 'invalid_grant',
      })
    }
  })

  it('keep their own groups in the sessions of routes', async () => {
    const weak = site.browser()
    const strong = site.browser()
    for (const [browser, [user, password]] of [
      [weak, WEAK],
      [strong, STRONG],
    ] as const) {
      const page = await browser.get(`${ISSUER}/account`)
      await browser.submit(page, '/password', { user, password })
    }
    const cookies = [await sessionOn(weak), await sessionOn(strong)]
    for (const cookie of cookies) assert.ok(await isIn(site.authz, cookie))
    const decisions = await site.audit('decision')
    const groups = decisions.slice(-2).map((event) => event['groups'])
    assert.deepEqual(groups, [WEAK_GROUPS, STRONG_GROUPS])
  })
})

// A token of a login that has ended, or of a user who was signed out, is refused wherever this authorization
// server or one of its routes reads it: at a route, exchanged, introspected, refreshed, at userinfo.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import type { Browser } from '../fakes/browser.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import {
  authorization,
  configuration,
  ISSUER,
  logIn,
  refusalOf,
  startSite,
  type Site,
} from './authorization-server.ts'
import { skipWithoutRedis, startRedis } from '../servers/redis.ts'
import { ACCOUNT, withSessions } from './session/browsing.ts'

const API = 'https://api.example.org'
const LEDGER = 'https://ledger.example.org'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const EXCHANGES = `{ from: ['${API}', '${LEDGER}'], to: ['${LEDGER}'] }`

const yaml = withSessions()
  .replace(
    '    robot:',
    `    gateway: { secret: file:secret, grantTypes: [token_exchange], exchange: ${EXCHANGES} }
    robot:`,
  )
  .replace('\n  resources:', `\n  resources:\n    ${LEDGER}: { scopes: [read, write, book] }`)

/** With a route that takes these tokens: by a file, since nothing resolves the issuer here. */
const withTokens = yaml
  .replace(
    '  staff: { basic',
    `  tokens: { bearer: { issuer: '${ISSUER}', audiences: ['${API}', '${LEDGER}', web], kind: any, keys: { file: jwks.json }, cacheTtl: 0s } }
  staff: { basic`,
  )
  .replace('authenticate: [browser, staff]', 'authenticate: [browser, tokens, staff]')

/** A site with that route. */
const startWithTokens = async (state = ''): Promise<Site> => {
  const site = await startSite(`${yaml}${state}`, { ring: newStateKeyLine() })
  const jwks = await fetch(`http://127.0.0.1:${site.port}/jwks`)
  await writeFile(site.folder.file('jwks.json'), await jwks.text())
  await writeFile(site.folder.file('countersign.yaml'), `${withTokens}${state}`)
  await site.authz.reload()
  return site
}

const tokensOf = async (
  site: Site,
  scope = 'openid read',
  parameters: Readonly<Record<string, string>> = {},
) => {
  const browser = site.browser()
  const client = await site.client('web')
  const request = { resource: API, scope, ...parameters }
  const { url, checks } = await authorization(client, request)
  const form = await logIn(browser, url)
  const back = parameters['prompt'] === 'consent' ? await consented(browser, form) : form
  const {
    access_token: jwt,
    id_token: idToken = '',
    ...rest
  } = await openid.authorizationCodeGrant(client, back, checks)
  return { browser, client, jwt, idToken, refreshToken: rest.refresh_token ?? '' }
}

const consented = async (browser: Browser, url: URL): Promise<URL> =>
  (await browser.submit(await browser.get(url), '/consent', { answer: 'allow' })).url

const exchange = async (site: Site, token: string, scope?: string) => {
  const answer = await openid.genericGrantRequest(await site.client('gateway'), EXCHANGE, {
    subject_token: token,
    subject_token_type: ACCESS_TOKEN,
    resource: LEDGER,
    ...(scope === undefined ? {} : { scope }),
  })
  return answer.access_token
}

/** What our route says of a token. */
const answerTo = async (site: Site, token: string): Promise<string> => {
  using client = new EnvoyClient(site.authz.address)
  const headers = [['authorization', `Bearer ${token}`]] as const
  const answer = await client.check({ host: 'app.example.org', path: '/', headers })
  if (answer.allow) return 'allowed'
  return String((await site.audit('decision')).at(-1)?.['reason'])
}

describe('a token of a login that has ended', () => {
  let site: Site
  before(async () => {
    site = await startWithTokens()
  })
  after(() => site[Symbol.asyncDispose]())

  const ENDS: readonly {
    readonly name: string
    readonly end: (browser: Browser) => Promise<unknown>
  }[] = [
    {
      name: 'when its user signs out everywhere',
      end: async (browser) => await browser.submit(await browser.get(ACCOUNT), '/everywhere'),
    },
    {
      name: 'when its login alone is ended',
      end: async (browser) => await browser.submit(await browser.get(ACCOUNT), '/here'),
    },
    {
      name: 'when its user logs out in its browser',
      end: async (browser) => {
        const page = await browser.get(`${ISSUER}/logout`)
        return await browser.submit(page, '/logout/confirm', { logout: 'yes' })
      },
    },
  ]
  for (const { name, end } of ENDS) {
    it(`is refused by routes and for an exchange ${name}, as are those exchanged before`, async () => {
      const { browser, client, jwt, idToken, refreshToken } = await tokensOf(site)
      const other = await tokensOf(site)
      const exchanged = await exchange(site, jwt)
      for (const token of [jwt, idToken, exchanged])
        assert.equal(await answerTo(site, token), 'allowed')
      await end(browser)
      for (const token of [jwt, idToken, exchanged]) {
        assert.equal(await answerTo(site, token), 'token-inactive')
      }
      // RFC 8693 §2.2.2.
      assert.equal(await refusalOf(exchange(site, jwt)), 'invalid_request')
      assert.equal(await refusalOf(exchange(site, exchanged)), 'invalid_request')
      assert.equal(await refusalOf(openid.refreshTokenGrant(client, refreshToken)), 'invalid_grant')
      const stays = name === ENDS[0]?.name ? 'token-inactive' : 'allowed'
      assert.equal(await answerTo(site, other.jwt), stays, 'another login of the same user')
    })
  }

  it('is valid as long as its client has offline access, which a logout of the browser does not end', async () => {
    const { browser, jwt } = await tokensOf(site, 'openid read offline_access', {
      prompt: 'consent',
    })
    const page = await browser.get(`${ISSUER}/logout`)
    await browser.submit(page, '/logout/confirm', { logout: 'yes' })
    assert.equal(await answerTo(site, jwt), 'allowed')
    assert.equal(await answerTo(site, await exchange(site, jwt)), 'allowed')
  })
})

describe('the scopes of an exchanged token', () => {
  let site: Site
  const start = async (exchanges: string): Promise<Site> =>
    await startSite(
      configuration()
        .replace(
          '    robot:',
          `    gateway: { secret: file:secret, grantTypes: [token_exchange], exchange: ${exchanges} }
    robot:`,
        )
        .replace(
          '\n  resources:',
          `\n  resources:\n    ${LEDGER}: { scopes: [read, write, book] }`,
        ),
    )
  after(() => site[Symbol.asyncDispose]())

  const exchanged = async (scope: string) => {
    const { jwt } = await tokensOf(site)
    return decodeJwt(await exchange(site, jwt, scope))['scope']
  }

  it('are a subset of the subject token’s', async () => {
    site = await start(EXCHANGES)
    assert.equal(await exchanged('read'), 'read')
    assert.equal(await refusalOf(exchanged('write')), 'invalid_scope')
    assert.equal(await refusalOf(exchanged('read book')), 'invalid_scope')
    await site[Symbol.asyncDispose]()
  })

  it('include those that the client may add at that resource', async () => {
    site = await start(`{ from: ['${API}'], to: ['${LEDGER}'], scopes: { '${LEDGER}': [book] } }`)
    assert.equal(await exchanged('read book'), 'read book')
    assert.equal(await refusalOf(exchanged('write')), 'invalid_scope')
  })
})

describe('a token whose login status is unavailable', { skip: skipWithoutRedis() }, () => {
  it('is neither exchanged nor accepted by a route while the store is down', async () => {
    await using redis = await startRedis({ persistent: true })
    process.env['ENDED_LOGINS_REDIS'] = redis.url
    const state = 'state: { redis: { url: env:ENDED_LOGINS_REDIS, secret: file:ring } }\n'
    await using site = await startWithTokens(state)
    const { jwt } = await tokensOf(site)
    assert.equal(await answerTo(site, jwt), 'allowed')
    redis.pause()
    await assert.rejects(
      exchange(site, jwt),
      ({ cause }: Error) => cause instanceof Response && cause.status === 503,
    )
    assert.equal(await answerTo(site, jwt), 'authenticator-unavailable')
  })
})

// The audit log joins a login with its tokens, and contains no token.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import { decodeJwt } from 'jose'
import { authorization, CALLBACK, logIn, startSite, type Site } from './authorization-server.ts'

describe('the audit events of one login', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  const RESOURCE = { resource: 'https://api.example.org', scope: 'openid read' }

  it('of a login and of its tokens have one id, and tokens-issued has the jti of each JWT', async () => {
    const client = await site.client('web')
    const { url, checks } = await authorization(client, { redirect_uri: CALLBACK, ...RESOURCE })
    const back = await logIn(site.browser(), url)
    const tokens = await openid.authorizationCodeGrant(client, back, checks, RESOURCE)
    const login = (await site.audit('login')).at(-1)
    const issued = (await site.audit('tokens-issued')).at(-1)
    assert.match(String(login?.['login']), /^[\w-]{22}$/)
    assert.equal(issued?.['login'], login?.['login'])
    assert.deepEqual(issued?.['jti'], [decodeJwt(tokens.access_token).jti])
  })

  it('include refreshed tokens, and identify opaque tokens by hash', async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client)
    const first = await openid.authorizationCodeGrant(
      client,
      await logIn(site.browser(), url),
      checks,
    )
    const second = await openid.refreshTokenGrant(client, first.refresh_token ?? '')
    const login = (await site.audit('login')).at(-1)
    const issued = (await site.audit('tokens-issued')).slice(-2)
    assert.deepEqual(
      issued.map((event) => event['login']),
      [login?.['login'], login?.['login']],
    )
    const hashes = issued.flatMap(({ tokens }) => (Array.isArray(tokens) ? tokens : []))
    assert.ok(hashes.length >= 4) // access and refresh token, twice; an ID token has no jti
    assert.equal(new Set(hashes).size, hashes.length)
    for (const hash of hashes) assert.match(String(hash), /^[\w-]{16}$/)
    const log = JSON.stringify(await Promise.all(EVENTS.map((name) => site.audit(name))))
    for (const answer of [first, second]) {
      for (const secret of [answer.access_token, answer.refresh_token, answer.id_token]) {
        assert.ok(secret !== undefined && !log.includes(secret))
      }
    }
  })

  it('differ in the id from those of another login', async () => {
    const client = await site.client('spa')
    const { url } = await authorization(client)
    await logIn(site.browser(), url)
    const ids = (await site.audit('login')).map((event) => event['login'])
    assert.equal(new Set(ids).size, ids.length)
  })
})

const EVENTS = ['login', 'tokens-issued', 'session-began', 'decision']

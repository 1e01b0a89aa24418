// Refresh tokens, with a client library of another project.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import { authorization, logIn, refusalOf, startSite, type Site } from './authorization-server.ts'

describe('a refresh token', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  const withTokens = async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client)
    const browser = site.browser()
    const tokens = await openid.authorizationCodeGrant(client, await logIn(browser, url), checks)
    return { client, browser, token: tokens.refresh_token ?? '' }
  }

  it('is valid once, and is replaced by the next', async () => {
    const { client, token } = await withTokens()
    const second = await openid.refreshTokenGrant(client, token)
    assert.deepEqual(second.claims()?.['groups'], ['dev', 'ops'])
    const third = await openid.refreshTokenGrant(client, second.refresh_token ?? '')
    assert.notEqual(third.refresh_token, second.refresh_token)
  })

  it('used twice revokes the whole grant (RFC 9700 §4.14.2)', async () => {
    const { client, token } = await withTokens()
    const next = (await openid.refreshTokenGrant(client, token)).refresh_token ?? ''
    assert.equal(await refusalOf(openid.refreshTokenGrant(client, token)), 'invalid_grant')
    assert.equal(await refusalOf(openid.refreshTokenGrant(client, next)), 'invalid_grant')
  })

  it('is accepted once of several simultaneous requests', async () => {
    const { client, token } = await withTokens()
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, async () => refusalOf(openid.refreshTokenGrant(client, token))),
    )
    assert.equal(outcomes.filter((outcome) => outcome === undefined).length, 1)
  })

  it('is refused for another client', async () => {
    const { token } = await withTokens()
    const other = await site.client('web')
    assert.equal(await refusalOf(openid.refreshTokenGrant(other, token)), 'invalid_grant')
  })
})

// Login by a code on another device (RFC 8628), with a client library of another project.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import { ISSUER, refusalOf, startSite, type Site } from './authorization-server.ts'

describe('the device authorization grant', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  it('issues tokens once the user has confirmed the code and logged in', async () => {
    const client = await site.client('cli')
    const device = await openid.initiateDeviceAuthorization(client, { scope: 'openid groups' })
    assert.equal(device.verification_uri, `${ISSUER}/device`)
    const browser = site.browser()
    const form = await browser.get(device.verification_uri)
    const confirm = await browser.submit(form, '/device', { user_code: device.user_code })
    assert.match(confirm.body, new RegExp(device.user_code))
    assert.match(confirm.body, /cli/)
    const login = await browser.submit(confirm, '/device', { confirm: 'yes' })
    const done = await browser.submit(login, '/password', {
      user: 'alice',
      password: 'wonderland',
    })
    assert.equal(done.status, 200)
    const tokens = await openid.pollDeviceAuthorizationGrant(client, { ...device, interval: 0 })
    assert.equal(tokens.claims()?.sub, 'alice')
    assert.ok(tokens.refresh_token)
  })

  it('ends with access_denied where the user cancels', async () => {
    const client = await site.client('cli')
    const device = await openid.initiateDeviceAuthorization(client, { scope: 'openid' })
    const browser = site.browser()
    const form = await browser.get(device.verification_uri_complete ?? '')
    const confirm = await browser.submit(form, '/device')
    const denied = await browser.submit(confirm, '/device', { abort: 'yes' })
    assert.match(denied.body, /<h1>/)
    const poll = openid.pollDeviceAuthorizationGrant(client, { ...device, interval: 0 })
    assert.equal(await refusalOf(poll), 'access_denied')
  })

  it('refuses an unknown user code', async () => {
    const browser = site.browser()
    const form = await browser.get(`${ISSUER}/device`)
    const page = await browser.submit(form, '/device', { user_code: 'AAAA-AAAA' })
    assert.match(page.body, /role="alert"/)
  })

  it('refuses a form whose cookie is missing, and says why', async () => {
    const form = await site.browser().get(`${ISSUER}/device`)
    const page = await site.browser().submit(form, '/device', { user_code: 'AAAA-AAAA' })
    assert.equal(page.status, 400)
    assert.match(page.body, /<h1>Cookies are blocked/)
    const other = site.browser()
    other.plant(ISSUER, '__Host-countersign-login', 'ended')
    const late = await other.submit(form, '/device', { user_code: 'AAAA-AAAA' })
    assert.equal(late.status, 400)
    assert.match(late.body, /<h1>This page has expired/)
  })
})

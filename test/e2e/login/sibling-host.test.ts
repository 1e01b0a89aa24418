// A sibling host under the same registrable domain plants the cookies of its own login (RFC 9700 §4.7), with
// a real Chromium and the real Envoy.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { Browser } from '../../fakes/browser.ts'
import { ISSUER } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { usersAt } from '../browser-users.ts'
import { PASSWORDS, type Site } from '../site.ts'
import { authorizationUrl, startLoginSite } from './login-site.ts'

const SIBLING = 'https://shop.example.org/'

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('a browser that visited a hostile sibling host, through Envoy', { skip }, () => {
  let site: Site
  before(async () => {
    site = await startLoginSite({ login: { authenticators: ['staff'] } })
  })
  const open = usersAt(() => ({ site }))
  after(() => site[Symbol.asyncDispose]())

  it('is not logged in as the attacker by cookies with Domain=example.org', async () => {
    const ca = await readFile(site.pki.ca)
    const attacker = new Browser({ port: site.target.port, tls: { ca } })
    const login = await attacker.get(authorizationUrl())
    const fields = { user: 'bob', password: PASSWORDS.bob }
    const proven = await attacker.send(login, '/password', fields)
    assert.equal(proven.status, 303)
    const resume = new URL(proven.headers.location ?? '', ISSUER)
    const lines = [...attacker.cookiesOf(ISSUER)].map(
      ([name, value]) =>
        `${name}=${value}; Domain=example.org; Path=${resume.pathname}; Secure; HttpOnly; SameSite=Lax`,
    )
    const { page, context } = await open({ refusals: [400] })
    await page.route(SIBLING, async (route) => {
      const headers = { 'content-type': 'text/html', 'set-cookie': lines.join('\n') }
      await route.fulfill({
        headers,
        body: '<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>',
      })
    })
    await page.goto(SIBLING)
    const planted = (await context.cookies(resume.href)).map(({ name }) => name)
    assert.ok(
      planted.some((name) => name.endsWith('-resume')),
      'Chromium takes these',
    )
    assert.ok(!planted.some((name) => name.startsWith('__Host-')), 'and these it does not')
    await page.goto(resume.href)
    await page.getByRole('heading', { name: 'This login was started in another browser' }).waitFor()
    const names = (await context.cookies(ISSUER)).map(({ name }) => name)
    assert.ok(!names.includes('__Host-countersign-login'))
    await page.goto(`${ISSUER}/account`)
    await page.getByLabel('Password').waitFor()
  })
})

// Users log in with a real browser, through the real Envoy over TLS: as the pages look to them, without a
// mouse, without JavaScript, and with a certificate that the browser has.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import type { Page } from 'playwright-core'
import { nameOf } from '../../pki/making.ts'
import { authorization, CALLBACK } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutNss } from '../../servers/chromium-home.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { makeCa, makeCaller, writePem, type Caller } from '../client-certificates/callers.ts'
import { logIn, usersAt, type BrowserOptions } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { authorizationUrl, clientAt, loginsAt, startLoginSite } from './login-site.ts'

const staffCa = makeCa('Staff CA')

// What runs in the page is a text, since this program has no types of the DOM.
const FOCUSED = `(() => {
  const { activeElement: element } = document
  return element.getAttribute('name') ?? element.textContent.trim()
})()`

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('logins with a browser, through Envoy', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let site: Site
  let carol: Caller
  before(async () => {
    const folder = stack.use(await temporaryFolder())
    const subject = nameOf(['O', 'developers'], ['CN', 'carol'])
    carol = await makeCaller(folder, { signer: staffCa, subject })
    const trust = await writePem(folder, 'trust.pem', staffCa)
    site = stack.use(
      await startLoginSite({
        login: { authenticators: ['staff', 'cards'] },
        authenticators: { cards: { certificate: { trust } } },
        listener: { clientCa: trust },
      }),
    )
  })
  const open = usersAt(() => ({ site }))
  after(() => stack.disposeAsync())

  const back = async (page: Page): Promise<URL> => {
    await page.waitForURL(`${CALLBACK}?**`)
    return new URL(page.url())
  }

  for (const [name, options] of Object.entries<BrowserOptions>({
    'on a desk': {},
    'on a phone, in the dark': {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
      locale: 'de-DE',
    },
    'without JavaScript': { javaScriptEnabled: false },
  })) {
    it(`succeed by password, ${name}`, async () => {
      const client = await clientAt(site, 'spa')
      const { url, checks } = await authorization(client)
      const { page } = await open({ ...options, refusals: [403] })
      await page.goto(url.href)
      const language = options.locale === 'de-DE' ? 'de' : 'en'
      await logIn(page, { password: 'wrong', language })
      await page.getByRole('alert').waitFor()
      await logIn(page, { language })
      const tokens = await openid.authorizationCodeGrant(client, await back(page), checks)
      assert.equal(tokens.claims()?.sub, 'alice')
    })
  }

  it('succeed by keyboard alone: a wrong password, then the correct one', async () => {
    const { page } = await open({ refusals: [403] })
    await page.goto(authorizationUrl())
    const focused = async (): Promise<string> => await page.evaluate<string>(FOCUSED)
    await page.locator('input:focus').waitFor()
    const order = [await focused()]
    for (let step = 0; step < 3; step += 1) {
      await page.keyboard.press('Tab')
      order.push(await focused())
    }
    assert.deepEqual(order, ['user', 'password', 'Log in', 'Use my certificate'])
    for (const key of ['Shift+Tab', 'Shift+Tab', 'Shift+Tab']) {
      await page.keyboard.press(key)
    }
    await page.keyboard.type('alice')
    await page.keyboard.press('Tab')
    await page.keyboard.type('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    // The name is there already.
    await page.locator('input[name=password]:focus').waitFor()
    await page.keyboard.type('wonderland')
    await page.keyboard.press('Tab')
    assert.equal(await focused(), 'Log in')
    await page.keyboard.press('Space')
    assert.ok((await back(page)).searchParams.has('code'))
  })

  it('without a certificate are explained where the browser has none', async () => {
    const { page } = await open({ refusals: [403] })
    await page.goto(authorizationUrl())
    await page.getByRole('button', { name: 'Use my certificate' }).click()
    const alert = await page.getByRole('alert').innerText()
    assert.match(alert, /Your browser sent no certificate/)
    assert.equal((await loginsAt(site)).at(-1)?.['reason'], 'credential-missing')
  })

  it('succeed on another device, by the code that the device displays', async () => {
    const client = await clientAt(site, 'cli')
    const device = await openid.initiateDeviceAuthorization(client, { scope: 'openid' })
    const { page } = await open()
    await page.goto(device.verification_uri_complete ?? '')
    await page.getByText(device.user_code).waitFor()
    await page.getByRole('button', { name: 'Yes, log it in' }).click()
    await logIn(page)
    await page.getByRole('heading', { level: 1, name: 'Your device is logged in' }).waitFor()
    const tokens = await openid.pollDeviceAuthorizationGrant(client, { ...device, interval: 0 })
    assert.equal(tokens.claims()?.sub, 'alice')
  })

  it('leave no form in the history that can be sent, and no error', async () => {
    const { page } = await open({ refusals: [400] })
    await page.goto(authorizationUrl())
    await logIn(page)
    await back(page)
    await page.goBack()
    await page.getByRole('heading', { name: 'This page has expired' }).waitFor()
  })

  describe('with a client certificate in the browser', { skip: skipWithoutNss() }, () => {
    const openWith = usersAt(() => ({ site, client: carol }))

    it('succeed by one click', async () => {
      const client = await clientAt(site, 'spa')
      const { url, checks } = await authorization(client)
      const { page } = await openWith()
      await page.goto(url.href)
      await page.getByRole('button', { name: 'Use my certificate' }).click()
      const tokens = await openid.authorizationCodeGrant(client, await back(page), checks)
      assert.equal(tokens.claims()?.sub, 'carol')
      assert.deepEqual(tokens.claims()?.['groups'], ['developers'])
      assert.deepEqual(tokens.claims()?.['amr'], ['pop'])
      const login = (await loginsAt(site)).at(-1)
      assert.deepEqual(
        [login?.['authenticator'], login?.['authentication'], login?.['source']],
        ['cards', 'certificate', '127.0.0.1'],
      )
    })

    it('succeed by password as well', async () => {
      const { page } = await openWith()
      await page.goto(authorizationUrl())
      await logIn(page)
      await back(page)
      assert.equal((await loginsAt(site)).at(-1)?.['user'], 'alice')
    })
  })
})

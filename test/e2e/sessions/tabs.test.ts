// Many tabs begin to log in, or one waits for too long: the login ends where its tab wanted to go, in a real
// Chromium and through the real Envoy.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { logIn, usersAt } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { browsersAt, logInAt } from './browsing.ts'
import { follow } from '../../fakes/browser.ts'
import { APP, COOKIE, gotBy, ISSUER, startDashboards } from './dashboards.ts'

const skip = skipWithoutEnvoy() || skipWithoutChromium()

const TABS = Array.from({ length: 12 }, (_, index) => `${APP}/tab-${index + 1}?x=%C3%BC`)

describe('a login among many tabs, through Envoy and in a browser', { skip }, () => {
  let site: Site
  before(async () => {
    site = await startDashboards()
  })
  const open = usersAt(() => ({ site }))
  after(() => site[Symbol.asyncDispose]())

  const arrivedAt = async (page: Page, address: string): Promise<void> => {
    await page.waitForURL(address)
    assert.equal(gotBy(await page.locator('body').innerText())['x-remote-user'], 'alice')
  }

  it('the first of twelve restored tabs logs in, and each gets to its target', async () => {
    const { page: first, context } = await open()
    const pages = [first, ...(await Promise.all(TABS.slice(1).map(() => context.newPage())))]
    await Promise.all(pages.map((page, index) => page.goto(TABS[index] ?? '')))
    await logIn(first)
    await arrivedAt(first, TABS[0] ?? '')
    for (const [index, page] of pages.entries()) {
      if (index === 0) continue
      await logIn(page)
      await arrivedAt(page, TABS[index] ?? '')
    }
  })

  it('an expired login page leads to the target of its tab', async () => {
    const { page, context } = await open({ refusals: [400] })
    await page.goto(`${APP}/orders/7?tab=2`)
    await page.waitForURL(`${ISSUER}/login/**`)
    // After half an hour browsers have ended all of them.
    await context.clearCookies()
    await logIn(page)
    await page.getByRole('heading', { name: 'This page has expired' }).waitFor()
    await page.getByRole('link', { name: 'Log in again' }).click()
    await logIn(page)
    await arrivedAt(page, `${APP}/orders/7?tab=2`)
  })

  it('the first of forty tabs gets to its target, and the browser keeps few cookies', async () => {
    const { browserOf } = await browsersAt(site)
    const browser = browserOf()
    const first = await follow(browser, `${APP}/tab-1`)
    for (let index = 2; index <= 40; index += 1) {
      await browser.get(`${APP}/tab-${index}`)
    }
    const begun = [...browser.cookiesOf(APP).keys()].filter((name) => name.includes('-begun-'))
    assert.ok(begun.length <= 16, `${begun.length} cookies`)
    const last = await follow(browser, (await logInAt(first, browser)).url)
    assert.deepEqual([last.status, last.url.href], [200, `${APP}/tab-1`])
    assert.ok(browser.cookiesOf(APP).has(COOKIE))
  })
})

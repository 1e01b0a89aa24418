// A user works at a dashboard in a real Chromium, through the real Envoy: deep links, tabs, the buttons of
// the browser, and logging out.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { logIn, usersAt } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { APP, COOKIE, gotBy, ISSUER, OTHER, startDashboards } from './dashboards.ts'

const LOGOUT = `${APP}/.countersign/logout`

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('a user in a browser, through Envoy', { skip }, () => {
  let site: Site
  before(async () => {
    site = await startDashboards()
  })
  const open = usersAt(() => ({ site }))
  after(() => site[Symbol.asyncDispose]())

  /** The user that the upstream reports. */
  const userOn = async (page: Page): Promise<string | undefined> =>
    gotBy(await page.locator('body').innerText())['x-remote-user']
  const atLogin = async (page: Page): Promise<void> => await page.waitForURL(`${ISSUER}/login/**`)
  const loggedInAt = async (page: Page, address: string): Promise<void> => {
    await page.goto(address)
    await logIn(page)
    await page.waitForURL(address)
  }

  it('returns to a deep link with its query and fragment', async () => {
    const { page, context } = await open()
    await loggedInAt(page, `${APP}/orders/7?tab=%C3%BC&x=1#line-3`)
    assert.equal(await userOn(page), 'alice')
    const [cookie, ...more] = await context.cookies(APP)
    assert.deepEqual(more, [])
    assert.deepEqual(
      [cookie?.name, cookie?.value.length, cookie?.httpOnly, cookie?.secure, cookie?.sameSite],
      [COOKIE, 43, true, true, 'Lax'],
    )
  })

  it('returns to a deep link in dark mode, in German, on a phone, after a wrong password', async () => {
    const { page } = await open({
      locale: 'de-DE',
      colorScheme: 'dark',
      viewport: { width: 390, height: 844 },
      refusals: [403],
    })
    await page.goto(`${APP}/orders/7?tab=2#line-3`)
    await logIn(page, { password: 'wrong', language: 'de' })
    await page.getByRole('alert').waitFor()
    await logIn(page, { language: 'de' })
    await page.waitForURL(`${APP}/orders/7?tab=2#line-3`)
  })

  it('gets to the target of each of three tabs that log in at once', async () => {
    const { page, context } = await open()
    const paths = ['/a', '/b?x=1', '/c#there']
    const pages = [page, await context.newPage(), await context.newPage()]
    for (const [index, one] of pages.entries()) {
      await one.goto(`${APP}${paths[index]}`)
    }
    for (const [index, one] of pages.entries()) {
      await logIn(one)
      await one.waitForURL(`${APP}${paths[index]}`)
    }
  })

  it('opens a second tab and a second host without another login', async () => {
    const { page, context } = await open()
    await loggedInAt(page, `${APP}/`)
    for (const address of [`${APP}/b#two`, `${OTHER}/c?x=1#three`]) {
      const tab = await context.newPage()
      await tab.goto(address)
      assert.equal(tab.url(), address)
    }
  })

  it('finds no form that can be sent again by going back and forward after the login', async () => {
    const { page } = await open({ refusals: [400] })
    await loggedInAt(page, `${APP}/first`)
    await page.goto(`${APP}/second`)
    await page.goBack()
    assert.equal(page.url(), `${APP}/first`)
    await page.goBack()
    await page.getByRole('heading', { name: 'This page has expired' }).waitFor()
    await page.goForward()
    assert.equal(page.url(), `${APP}/first`)
    assert.equal(await userOn(page), 'alice')
  })

  it('logs out, which ends the session here and at the authorization server', async () => {
    const { page, context } = await open()
    await loggedInAt(page, `${APP}/`)
    const cookies = await context.cookies(APP)
    await page.goto(LOGOUT)
    await page.getByText('app.example.org asks to log you out.').waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await atLogin(page)
    assert.equal(await page.getByLabel('Password').count(), 1)
    // Not only the browser has forgotten it.
    await context.addCookies(cookies)
    await page.goto(`${APP}/`)
    await atLogin(page)
  })

  it('stays logged in after cancelling the logout', async () => {
    const { page } = await open()
    await loggedInAt(page, `${APP}/`)
    await page.goto(LOGOUT)
    await page.getByRole('button', { name: 'Stay logged in' }).click()
    await page.waitForURL(`${APP}/`)
    assert.equal(await userOn(page), 'alice')
  })

  it('finds no page of the session by going back after the logout', async () => {
    const { page } = await open()
    await loggedInAt(page, `${APP}/secret-page`)
    await page.goto(LOGOUT)
    await page.getByRole('button', { name: 'Log out' }).click()
    await atLogin(page)
    // The login page from before, which is none any more, and the page from before that.
    for (let step = 0; step < 2; step += 1) {
      await page.goBack()
      await atLogin(page)
      assert.equal(await page.getByLabel('Password').count(), 1)
    }
  })

  it('can do all of it without JavaScript', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    // Without a script a fragment does not outlive a form.
    await loggedInAt(page, `${APP}/orders/7?tab=2`)
    await page.goto(`${ISSUER}/account`)
    await page.getByRole('button', { name: 'Sign out here' }).click()
    await page.getByText('You are logged out').first().waitFor()
    await page.goto(`${APP}/orders/7?tab=2`)
    await atLogin(page)
  })
})

// The account page in a real browser, through the real Envoy: a user sees where they are logged in, and
// ends the logins that they do not know.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { logIn, usersAt, type BrowserUser, type BrowserOptions } from '../browser-users.ts'
import { PASSWORDS, type Site } from '../site.ts'
import { APP, eventsAt, fetchedBy, ISSUER, OTHER, startDashboards } from './dashboards.ts'

const ACCOUNT = `${ISSUER}/account`

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('the account page, through Envoy and in a browser', { skip }, () => {
  let site: Site
  before(async () => {
    site = await startDashboards({
      sessions: [{ cacheTtl: '0s' }, { cacheTtl: '1m' }],
      movable: true,
    })
  })
  const open = usersAt(() => ({ site }))
  after(() => site[Symbol.asyncDispose]())

  /** A browser of its own that logs in where it goes. */
  const loggedInAt = async (
    address: string,
    options: BrowserOptions = {},
  ): Promise<BrowserUser> => {
    const person = await open(options)
    await person.page.goto(address)
    await logIn(person.page, options.locale === 'de-DE' ? { language: 'de' } : {})
    await person.page.waitForURL(address)
    return person
  }
  const buttons = (page: Page) => page.getByRole('button', { name: /^Sign out: / })
  const atLogin = async (page: Page): Promise<void> => await page.waitForURL(`${ISSUER}/login/**`)

  it('lists the other browser, and ends its login', async () => {
    const there = await loggedInAt(`${APP}/`, { refusals: [401] })
    const here = await loggedInAt(ACCOUNT)
    assert.equal(await buttons(here.page).count(), 2)
    assert.equal((await fetchedBy(there.page)).status, 200)
    await buttons(here.page).nth(1).click()
    await here.page.getByRole('status').waitFor()
    assert.equal(await buttons(here.page).count(), 1)
    assert.equal((await fetchedBy(there.page)).status, 401)
    await there.page.goto(`${APP}/`)
    await atLogin(there.page)
    await here.page.goto(ACCOUNT)
    assert.equal(new URL(here.page.url()).pathname, '/account')
    await here.page.getByRole('button', { name: 'Sign out here' }).click()
    await here.page.getByText('You are logged out').first().waitFor()
  })

  it('ends all logins at once, and leads to a login again', async () => {
    const there = await loggedInAt(`${APP}/orders#open`, { refusals: [401] })
    const stranger = await open()
    await stranger.page.goto(`${ISSUER}/account`)
    await logIn(stranger.page, { user: 'bob', password: PASSWORDS.bob })
    await stranger.page.waitForURL(ACCOUNT)
    const here = await loggedInAt(ACCOUNT)
    await here.page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await here.page.getByRole('link', { name: 'Log in again' }).click()
    await atLogin(here.page)
    assert.equal((await fetchedBy(there.page)).status, 401)
    await there.page.reload()
    await atLogin(there.page)
    // Of this user alone.
    await stranger.page.reload()
    assert.equal(stranger.page.url(), ACCOUNT)
    const ended = (await eventsAt(site, 'sessions-ended')).at(-1)
    assert.deepEqual([ended?.['user'], ended?.['which']], ['alice', 'all'])
  })

  it('ends logins whose sessions are cached, once the cache has ended', async () => {
    const there = await loggedInAt(`${OTHER}/`, { refusals: [401] })
    const here = await loggedInAt(ACCOUNT)
    assert.equal((await fetchedBy(there.page)).status, 200)
    await here.page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await here.page.getByText('You are logged out').first().waitFor()
    await site.authz.pass(1)
    assert.equal((await fetchedBy(there.page)).status, 401)
  })

  it('is available in German, in dark mode, on a phone', async () => {
    const { page } = await loggedInAt(ACCOUNT, {
      locale: 'de-DE',
      colorScheme: 'dark',
      viewport: { width: 390, height: 844 },
    })
    await page.getByRole('button', { name: 'Überall abmelden' }).click()
    await page.getByRole('link', { name: 'Erneut anmelden' }).click()
    await atLogin(page)
  })
})

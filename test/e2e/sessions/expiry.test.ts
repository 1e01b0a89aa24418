// A session ends while its page is open, in a real browser and through the real Envoy: unused for too long,
// or after its longest time. Nothing of the user's work is lost.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { logIn, usersAt } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { APP, fetchedBy, gotBy, ISSUER, startDashboards } from './dashboards.ts'

/** Minutes. */
const IDLE = 30
const LOGIN_IDLE = 60
const LONGEST = 120

const problemSchema = z.object({ status: z.literal(401), detail: z.string() })

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('a session that ends while its page is open', { skip }, () => {
  let site: Site
  before(async () => {
    const session = { idleTimeout: `${IDLE}m`, maxLifetime: `${LONGEST}m`, cacheTtl: '0s' }
    site = await startDashboards({
      login: { idleTimeout: `${LOGIN_IDLE}m`, maxLifetime: `${LONGEST}m` },
      sessions: [session, session],
      movable: true,
    })
  })
  const open = usersAt(() => ({ site }))
  after(() => site[Symbol.asyncDispose]())

  const atLogin = async (page: Page): Promise<void> => await page.waitForURL(`${ISSUER}/login/**`)
  const loggedInAt = async (page: Page, address: string): Promise<void> => {
    await page.goto(address)
    await logIn(page)
    await page.waitForURL(address)
  }
  /** As a link of the page leads there. */
  const goOn = async (page: Page, to: string): Promise<void> =>
    await page.evaluate(`location.assign(${JSON.stringify(to)})`)
  const sentTo = (path: string) =>
    site.upstream.requests.filter(({ method, url }) => method === 'POST' && url === path)

  it('unused for idleTimeout: data is refused as JSON, and the next page comes without a login page', async () => {
    const { page, context } = await open({ refusals: [401] })
    await loggedInAt(page, `${APP}/orders#open`)
    const [old] = await context.cookies(APP)
    await site.authz.pass(IDLE + 1)
    const { status, type, body } = await fetchedBy(page)
    assert.deepEqual([status, type], [401, 'application/problem+json'])
    assert.ok(problemSchema.parse(JSON.parse(body)))
    // The login lasts for its own time.
    await goOn(page, '/orders/8?tab=2#line-9')
    await page.waitForURL(`${APP}/orders/8?tab=2#line-9`)
    const [now] = await context.cookies(APP)
    assert.notEqual(now?.value, old?.value)
    assert.equal((await fetchedBy(page)).status, 200)
  })

  it('unused for as long as the login: the same page opens after the login page', async () => {
    const { page, context } = await open({ refusals: [401] })
    await loggedInAt(page, `${APP}/orders`)
    const other = await context.newPage()
    await other.goto(`${APP}/other#tab`)
    await site.authz.pass(LOGIN_IDLE + 1)
    assert.equal((await fetchedBy(other)).status, 401)
    await goOn(page, '/orders/8?tab=%C3%BC#line-9')
    await atLogin(page)
    await logIn(page)
    await page.waitForURL(`${APP}/orders/8?tab=%C3%BC#line-9`)
    // The other tab has not moved, and works again.
    assert.equal(other.url(), `${APP}/other#tab`)
    assert.equal((await fetchedBy(other)).status, 200)
  })

  it('in continuous use: it ends at maxLifetime, and the page opens again after a reload', async () => {
    const { page } = await open({ refusals: [401] })
    await loggedInAt(page, `${APP}/orders/7?tab=2#line-3`)
    const step = IDLE - 10
    for (let minutes = step; minutes < LONGEST; minutes += step) {
      await site.authz.pass(step)
      assert.equal((await fetchedBy(page)).status, 200, `after ${minutes} minutes`)
    }
    await site.authz.pass(step)
    assert.equal((await fetchedBy(page)).status, 401)
    await page.reload()
    await atLogin(page)
    await logIn(page)
    await page.waitForURL(`${APP}/orders/7?tab=2#line-3`)
  })

  it('a form sent afterwards is kept, and sent once the user confirms', async () => {
    const { page, context } = await open({ refusals: [401] })
    await loggedInAt(page, `${APP}/form`)
    await page.getByLabel('Amount').fill('three')
    await site.authz.pass(LOGIN_IDLE + 1)
    await page.getByRole('button', { name: 'Order' }).click()
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor()
    assert.match(await page.locator('main').innerText(), /app\.example\.org\/orders/)
    assert.equal(sentTo('/orders').length, 0)
    const opened = context.waitForEvent('page')
    await page.getByRole('link', { name: 'Log in (opens another tab)' }).click()
    const tab = await opened
    await logIn(tab)
    await tab.waitForURL(`${APP}/`)
    await tab.close()
    await page.reload()
    assert.equal(gotBy(await page.locator('body').innerText())['x-remote-user'], 'alice')
    assert.deepEqual(
      sentTo('/orders').map(({ body }) => body),
      ['amount=three'],
    )
  })
})

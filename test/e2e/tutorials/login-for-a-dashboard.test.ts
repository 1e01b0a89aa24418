// docs/tutorials/login-for-a-dashboard.md, followed from top to bottom, with a real dashboard, a real browser and an OpenID
// provider of another project.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { parse, parseDocument } from 'yaml'
import { until } from '../../fakes/until.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { pipEnvironment, skipWithoutTutorialPackages } from '../../servers/tutorial-packages.ts'
import { WIDTH, type Visit, type Visitor } from './browsing.ts'
import { follow, type Edit } from './tutorial.ts'

const PAGE = 'docs/tutorials/login-for-a-dashboard.md'
const HOME = 'https://localhost:8443/'

// Playwright's own client does not read the arguments of Chromium.
const IGNORING = { ignoreHTTPSErrors: true }

const skip = skipWithoutEnvoy() || skipWithoutChromium() || skipWithoutTutorialPackages()

/** Puts what a block has at `from` into a file of the gateway at a path, and waits until authz has read it. */
const put =
  (name: string, path: readonly (string | number)[], from: string): Edit =>
  async (folder, text) => {
    const audit = join(folder, 'gateway/audit.jsonl')
    const loaded = async (): Promise<number> =>
      (await readFile(audit, 'utf8')).split('"event":"configuration-loaded"').length
    const before = await loaded()
    const file = join(folder, 'gateway', name)
    const document = parseDocument(await readFile(file, 'utf8'))
    assert.ok(document.hasIn(path), `${name} has no ${path.join('.')}`)
    document.setIn(path, parse(text)[from])
    await writeFile(file, document.toString())
    await until(async () => (await loaded()) > before)
  }

const edits = {
  rules: put('countersign.yaml', ['routes', 0, 'authorize'], 'authorize'),
  groups: put('users.yaml', ['users', 'alice', 'groups'], 'groups'),
  provider: put('countersign.yaml', ['issuer'], 'issuer'),
}

const logIn = async ({ page, url, value }: Visitor): Promise<void> => {
  await page.getByLabel('User name').fill('alice')
  await page.getByLabel('Password').fill(value('PASSWORD'))
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL(url(HOME))
}

/** Chooses what a page of the dashboard links to. */
const choose = async (page: Page, name: string, where: string): Promise<void> => {
  await page.getByRole('link', { name, exact: true }).first().click()
  await page.waitForURL(`**${where}`)
}

/** Asks for it by the menu of the dashboard. */
const logOut = async (page: Page): Promise<void> => {
  await page.locator('.nav-menu summary').click()
  await choose(page, 'Log out', '/logout?**')
}

const visits: Readonly<Record<string, Visit>> = {
  'login-page': async ({ page, url }) => {
    await page.goto(url(HOME))
  },
  orders: async (visitor) => {
    const { page } = visitor
    await logIn(visitor)
    await choose(page, 'orders', '/shop/orders')
    await choose(page, 'product', '/shop/orders?_facet=product**')
    await page.setViewportSize({ width: WIDTH, height: 640 })
    await page.evaluate('scrollTo(0, 0)') // the address ends with an anchor
  },
  'access-denied': async ({ page, url, copy }) => {
    await choose(page, 'home', '/')
    const respelt = await page.request.get(url(`${HOME}~73taff/salaries`), IGNORING)
    assert.equal(respelt.status(), 403)
    await choose(page, 'salaries', '/staff/salaries')
    await page.setViewportSize({ width: WIDTH, height: 380 })
    copy('DECISION', await page.locator('code.id').innerText())
  },
  'log-out': async ({ page, url }) => {
    await page.goto(url(HOME))
    await logOut(page)
    await page.setViewportSize({ width: WIDTH, height: 330 })
  },
  salaries: async (visitor) => {
    const { page } = visitor
    await page.getByRole('button', { name: 'Log out' }).click()
    await logIn(visitor)
    await choose(page, 'salaries', '/staff/salaries')
    await page.setViewportSize({ width: WIDTH, height: 420 })
  },
  'login-page-with-provider': async ({ page }) => {
    await logOut(page)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByText('Continue with the bakery').waitFor()
    await page.setViewportSize({ width: WIDTH, height: 560 })
  },
  'salaries-provider': async ({ page, url }) => {
    await page.getByText('Continue with the bakery').click()
    await page.getByRole('button', { name: 'dora' }).click()
    await page.waitForURL(url(HOME))
    await choose(page, 'salaries', '/staff/salaries')
    await page.setViewportSize({ width: WIDTH, height: 420 })
  },
}

describe('the tutorial "Login for a dashboard"', { skip }, () => {
  it('does what it says, with the outputs and pages that it shows', async () => {
    await follow(PAGE, {
      ports: [8001, 8443, 9400],
      edits,
      browsing: { certificate: 'gateway/tls/edge.pem', visits },
      environment: pipEnvironment(),
    })
  })
})

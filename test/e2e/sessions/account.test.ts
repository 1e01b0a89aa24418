// The account page in a real browser, through the real Envoy: a person sees where they are logged in, and
// ends what they do not know.

import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { skipWithoutChromium, startChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { startSite, type Site } from '../site.ts'

const ISSUER = 'https://id.example.org'
const APP = 'https://app.example.org'
const ACCOUNT = `${ISSUER}/account`

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('the account page, through Envoy and in a browser', { skip }, () => {
  let folder: TemporaryFolder
  let site: Site
  let chromium: Browser
  before(async () => {
    folder = await temporaryFolder()
    const keys = folder.file('keys')
    await mkdir(keys)
    await writeSigningKeys(keys, [await madeKey('ES256')])
    site = await startSite({
      issuer: { url: ISSUER, keys, login: { authenticators: ['staff'] } },
      authenticators: { browser: { session: { remember: '0s' } } },
      routes: [
        {
          name: 'app',
          match: { hosts: ['app.example.org'] },
          authenticate: ['browser', 'staff'],
          authorize: [{ allow: 'staff', groups: ['dev'] }],
          forward: { headers: 'kubernetes' },
        },
      ],
    })
    chromium = await startChromium([
      `--host-resolver-rules=MAP *.example.org:443 127.0.0.1:${site.target.port}`,
    ])
  })
  after(async () => {
    await chromium.close()
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** A browser of its own that logs in where it goes. */
  const loggedInAt = async (address: string) => {
    const context = await chromium.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    await page.goto(address)
    await fillIn(page)
    await page.waitForURL(address)
    return { page, [Symbol.asyncDispose]: () => context.close() }
  }
  const fillIn = async (page: Page): Promise<void> => {
    await page.getByLabel('User name').fill('alice')
    await page.getByLabel('Password').fill('wonderland')
    await page.keyboard.press('Enter')
  }
  const buttons = (page: Page) => page.getByRole('button', { name: /^Sign out: / })

  it('shows the other browser, and ends its login', async () => {
    await using there = await loggedInAt(`${APP}/`)
    await using here = await loggedInAt(ACCOUNT)
    assert.equal(await buttons(here.page).count(), 2)
    await buttons(here.page).nth(1).click()
    await here.page.getByRole('status').waitFor()
    assert.equal(await buttons(here.page).count(), 1)
    await there.page.goto(`${APP}/`)
    await there.page.waitForURL(`${ISSUER}/login/**`)
    await here.page.goto(ACCOUNT)
    assert.equal(new URL(here.page.url()).pathname, '/account')
    await here.page.getByRole('button', { name: 'Sign out here' }).click()
    await here.page.getByText('You are logged out').first().waitFor()
  })

  it('ends all of them, and leads to a login again', async () => {
    await using there = await loggedInAt(`${APP}/`)
    await using here = await loggedInAt(ACCOUNT)
    await here.page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await here.page.getByRole('link', { name: 'Log in again' }).click()
    await here.page.waitForURL(`${ISSUER}/login/**`)
    await there.page.goto(`${APP}/`)
    await there.page.waitForURL(`${ISSUER}/login/**`)
  })
})

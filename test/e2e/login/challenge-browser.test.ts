// A second step that a real FreeRADIUS asks for, in a real browser through the real Envoy.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { CALLBACK } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutFreeRadius, startFreeRadius } from '../../servers/freeradius.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { logIn, usersAt } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { authorizationUrl, loginsAt, startLoginSite } from './login-site.ts'

const CAROL = { user: 'carol', password: 'c' }
// Each question counts as a wrong password until it is answered.
const CLEO = { user: 'cleo', password: 'c' }

const skip = skipWithoutEnvoy() || skipWithoutChromium() || skipWithoutFreeRadius()

describe('a second factor by FreeRADIUS, in a browser', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let site: Site
  before(async () => {
    const radius = stack.use(
      await startFreeRadius([
        { name: 'carol', password: 'c', second: 'code' },
        { name: 'pia', password: 'p', second: 'pin' },
        { name: 'cleo', password: 'c', second: 'code' },
      ]),
    )
    const folder = stack.use(await temporaryFolder())
    await writeFile(folder.file('secret'), radius.secret)
    const server = { host: `127.0.0.1:${radius.port}`, secret: `file:${folder.file('secret')}` }
    site = stack.use(
      await startLoginSite({
        login: { authenticators: ['staff'] },
        verify: [{ radius: { servers: [server] } }],
        movable: true,
      }),
    )
  })
  const open = usersAt(() => ({ site }))
  after(() => stack.disposeAsync())

  const answer = async (page: Page, text: string): Promise<void> => {
    // The only field, and it has the focus.
    await page.locator('input[name=answer]:focus').waitFor()
    await page.keyboard.type(text)
    await page.keyboard.press('Enter')
  }
  const letIn = async (page: Page): Promise<void> => await page.waitForURL(`${CALLBACK}?**`)
  const outcomes = async () => (await loginsAt(site)).map(({ outcome }) => outcome)

  it('is requested after the password, and logs the user in', async () => {
    const { page } = await open()
    await page.goto(authorizationUrl())
    await logIn(page, CAROL)
    await page.getByText('Enter your one-time code:').waitFor()
    assert.equal(await page.getByLabel('Password').count(), 0)
    await answer(page, '123456')
    await letIn(page)
    assert.deepEqual(await outcomes(), ['challenged', 'succeeded'])
  })

  it('may be wrong once: the password is requested again, and the correct answer logs in', async () => {
    const { page } = await open({ refusals: [403], locale: 'de-DE' })
    await page.goto(authorizationUrl())
    await logIn(page, { ...CAROL, language: 'de' })
    await answer(page, '000000')
    const alert = await page.getByRole('alert').innerText()
    assert.match(alert, /Falsche Antwort/)
    await logIn(page, { ...CAROL, language: 'de' })
    await answer(page, '123456')
    await letIn(page)
  })

  it('may have two challenges, on a phone without JavaScript', async () => {
    const { page } = await open({
      javaScriptEnabled: false,
      viewport: { width: 390, height: 844 },
    })
    await page.goto(authorizationUrl())
    await logIn(page, { user: 'pia', password: 'p' })
    await answer(page, '4711')
    await page.getByText('PIN accepted').waitFor()
    await answer(page, '123456')
    await letIn(page)
  })

  it('is still requested when the page is loaded again, and can be cancelled', async () => {
    const { page } = await open()
    await page.goto(authorizationUrl())
    const login = page.url()
    await logIn(page, CAROL)
    await page.locator('input[name=answer]').waitFor()
    await page.goto(login)
    await page.getByText('Enter your one-time code:').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByLabel('Password').waitFor()
    await page.goto(login)
    assert.equal(await page.getByLabel('Password').count(), 1)
  })

  it('is refused with a message when it is too late, and the login begins again', async () => {
    const { page } = await open({ refusals: [400] })
    await page.goto(authorizationUrl())
    await logIn(page, CLEO)
    await page.locator('input[name=answer]').waitFor()
    await site.authz.pass(4)
    await answer(page, '123456')
    const alert = await page.getByRole('alert').innerText()
    assert.match(alert, /This page has expired/)
    await logIn(page, CLEO)
    await answer(page, '123456')
    await letIn(page)
  })
})

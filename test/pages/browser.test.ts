// What the pages do in a real browser, with exactly the headers that they are sent with.

import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { FULL_THEME, themeOf, SAMPLES } from '../fakes/pages.ts'
import { skipWithoutChromium, startChromium } from '../servers/chromium.ts'
import { watch, type Watch } from '../servers/watch.ts'
import { startPageServer, type PageServer, type PageServerOptions } from './page-server.ts'

// What runs in the page is a text, since this program has no types of the DOM.
const FOCUSED = `(() => {
  const element = document.activeElement
  if (getComputedStyle(element).outlineStyle !== 'solid') return 'unseen'
  return element.getAttribute('name') ?? element.textContent.trim()
})()`

const DESCRIBED = `(() => {
  const field = document.activeElement
  const problem = document.getElementById(field.getAttribute('aria-describedby'))
  return [field.id, problem.textContent.trim().replaceAll(/\\s+/g, ' ')]
})()`

const CLICKS = `(() => {
  const button = document.querySelector('button')
  for (const delay of [0, 0, 100]) setTimeout(() => button.click(), delay)
})()`

/** Browsers give the focus some time after a page has loaded (HTML, "flush autofocus candidates"). */
const focused = async (page: Page): Promise<void> => await page.locator('input:focus').waitFor()

describe('the pages in a browser', { skip: skipWithoutChromium() }, () => {
  let browser: Browser
  before(async () => {
    browser = await startChromium()
  })
  after(() => browser.close())

  const serve = async (options: Partial<PageServerOptions> = {}): Promise<PageServer> =>
    await startPageServer({ theme: await themeOf(FULL_THEME), ...options })
  const watched: Watch[] = []
  afterEach(() => {
    for (const { complaints, statuses } of watched.splice(0)) {
      assert.deepEqual([...complaints, ...statuses], [])
    }
  })
  /** A page, and everything that it asks for. */
  const open = async (
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; requests: string[] } & AsyncDisposable> => {
    const context = await browser.newContext(options)
    watched.push(await watch(context, ['http:']))
    const page = await context.newPage()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    return { page, requests, [Symbol.asyncDispose]: () => context.close() }
  }

  it('every page loads nothing, and the browser reports no error', async () => {
    await using server = await serve()
    await using tab = await open()
    for (const { name } of SAMPLES) {
      await tab.page.goto(server.url(name))
    }
    const loaded = tab.requests.filter((url) => !url.startsWith('data:'))
    assert.equal(loaded.length, SAMPLES.length)
    assert.equal(server.paths.length, SAMPLES.length)
  })

  it('a user can log in by the keyboard alone', async () => {
    await using server = await serve()
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('login-everything'))
    await focused(page)
    await page.keyboard.type('alice')
    await page.keyboard.press('Tab')
    await page.keyboard.type('secret')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/landed')
    const [form] = server.forms
    assert.equal(form?.path, '/interaction/abc/password')
    assert.equal(form?.body, 'csrf=token-of-the-form&user=alice&password=secret')
  })

  it('the keyboard reaches every control in reading order, with a visible focus', async () => {
    await using server = await serve()
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('login-everything'))
    await focused(page)
    const order: string[] = []
    for (let step = 0; step < 9; step += 1) {
      order.push(await page.evaluate<string>(FOCUSED))
      await page.keyboard.press('Tab')
    }
    assert.deepEqual(order, [
      'user',
      'password',
      'Log in',
      'Use my certificate',
      'provider',
      'provider',
      'Service desk, extension 4711',
      'Legal notice',
      'Privacy',
    ])
  })

  it('after a wrong password the focus is in the password field, which the problem describes', async () => {
    await using server = await serve()
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('login-wrong'))
    await focused(page)
    assert.match(await page.title(), /^Wrong user name or password/)
    const described = await page.evaluate<readonly string[]>(DESCRIBED)
    assert.deepEqual(described, [
      'password',
      'Wrong user name or password. Check both and try again.',
    ])
    assert.equal(await page.getByRole('alert').count(), 1)
  })

  it('every form works without JavaScript', async () => {
    await using server = await serve()
    await using tab = await open({ javaScriptEnabled: false })
    const { page } = tab
    const send = async (name: string, press: () => Promise<void>): Promise<void> => {
      await page.goto(server.url(name))
      await press()
      await page.waitForURL('**/landed')
    }
    await send('login-everything', async () => {
      await page.getByLabel('User name').fill('alice')
      await page.getByLabel('Password').fill('secret')
      await page.getByRole('button', { name: 'Log in' }).click()
    })
    const press = (name: string) => async (): Promise<void> =>
      await page.getByRole('button', { name, exact: true }).click()
    await send('login-everything', press('Use my certificate'))
    await send('login-everything', press('Continue with GitHub'))
    await send('challenge', press('Cancel'))
    await send('consent', press('Deny'))
    await send('device-confirm', press('Yes, log it in'))
    await send('confirm-logout', press('Log out'))
    await send('account', press('Sign out: Safari, iPhone'))
    await send('account', press('Sign out everywhere'))
    assert.deepEqual(
      server.forms.map(({ path, body }) => `${path} ${body.replace('csrf=token-of-the-form', '')}`),
      [
        '/interaction/abc/password &user=alice&password=secret',
        '/interaction/abc/certificate ',
        '/interaction/abc/provider &provider=github',
        '/interaction/abc/cancel &answer=',
        '/interaction/abc/consent &answer=deny',
        '/device &user_code=WDJB-MJHT&confirm=yes',
        '/session/end/confirm &logout=yes',
        '/account/session &session=s2',
        '/account/everywhere ',
      ],
    )
    await page.goto(server.url('account-many-groups'))
    await page.locator('summary').click()
    assert.ok(await page.getByText('CN=Project 1999 Members').isVisible())
  })

  it('the fragment of a deep link survives the login', async () => {
    await using server = await serve({
      redirects: { '/app': '/login-everything?lang=en' },
      answerTo: ({ path }) => (path.endsWith('/password') ? '/challenge' : '/landed'),
    })
    await using tab = await open()
    const { page } = tab
    await page.goto(`${server.origin}/app#/orders/7?a="b"`)
    await page.getByLabel('User name').fill('alice')
    await page.getByLabel('Password').fill('secret')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/challenge**')
    await page.getByLabel('Code').fill('123456')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/landed**')
    assert.equal(new URL(page.url()).hash, '#/orders/7?a=%22b%22')
    assert.deepEqual(
      server.forms.map(({ path }) => path),
      ['/interaction/abc/password', '/interaction/abc/challenge'],
    )
  })

  it('hostile: the fragment is not passed to an upstream IdP', async () => {
    await using elsewhere = await serve()
    await using server = await serve({
      formTargets: [elsewhere.origin],
      answerTo: () => elsewhere.url('logged-out'),
    })
    await using tab = await open()
    const { page } = tab
    await page.goto(`${server.url('login-everything')}#secret`)
    await page.getByRole('button', { name: 'Continue with GitHub' }).click()
    await page.waitForURL('**/logged-out**')
    assert.equal(new URL(page.url()).hash, '')
  })

  it('a second click on a button sends the form once', async () => {
    await using server = await serve({
      answerTo: async () => {
        await sleep(300)
        return '/landed'
      },
    })
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('login-everything'))
    await page.getByLabel('User name').fill('alice')
    await page.getByLabel('Password').fill('secret')
    await page.evaluate(CLICKS)
    await page.waitForURL('**/landed')
    assert.equal(server.forms.length, 1)
  })

  it('a page that the browser restores from its cache can be sent again', async () => {
    await using server = await serve({ answerTo: () => '' })
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('confirm-logout'))
    const press = "document.querySelector('button').click()"
    await page.evaluate(press)
    await page.waitForTimeout(200)
    await page.evaluate(press)
    // As browsers do that keep pages whole (HTML, "pageshow").
    await page.evaluate(`dispatchEvent(new Event('pageshow')); ${press}`)
    await page.waitForTimeout(300)
    assert.equal(server.forms.length, 2)
  })

  it('a form can be sent again after going back', async () => {
    await using server = await serve()
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('confirm-logout'))
    for (let round = 0; round < 2; round += 1) {
      await page.getByRole('button', { name: 'Stay logged in' }).click()
      await page.waitForURL('**/landed')
      await page.goBack()
    }
    assert.equal(server.forms.length, 2)
  })

  it('a form is sent with neither Referer nor Origin', async () => {
    await using server = await serve()
    await using tab = await open()
    const { page } = tab
    await page.goto(server.url('confirm-logout'))
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL('**/landed')
    const { origin, referer, 'sec-fetch-site': site } = server.forms[0]?.headers ?? {}
    // Fetch §3.2: with this referrer policy `origin` is null; where a form came from, `sec-fetch-site` says.
    assert.deepEqual([origin, referer, site], ['null', undefined, 'same-origin'])
  })
})

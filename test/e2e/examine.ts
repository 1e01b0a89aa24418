// A second look at the pages that users were shown: axe judges whether they are accessible.

import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { seriousIn } from '../servers/axe.ts'

/** Looks at pages, at each that is alike only once. */
export class Examiner {
  readonly #browser: Browser
  readonly #seen = new Set<string>()
  readonly #pages = new Map<string, Page>()

  constructor(browser: Browser) {
    this.#browser = browser
  }

  /**
   * Problems that keep users from these pages. Screenshots are written where `COUNTERSIGN_SCREENSHOTS`
   * says.
   *
   * @param documents whole pages
   * @param options of the browser that was shown them
   */
  async problemsIn(
    documents: readonly string[],
    { viewport, colorScheme, locale }: BrowserContextOptions,
  ): Promise<readonly string[]> {
    const options = {
      ...(viewport === undefined ? {} : { viewport }),
      ...(colorScheme === undefined ? {} : { colorScheme }),
      ...(locale === undefined ? {} : { locale }),
    }
    const look = JSON.stringify(options)
    const unseen = documents.filter((text) => {
      const shape = `${look} ${shapeOf(text)}`
      return !this.#seen.has(shape) && this.#seen.add(shape)
    })
    if (unseen.length === 0) return []
    const page = await this.#pageFor(look, options)
    const problems: string[] = []
    for (const text of unseen) {
      await page.setContent(text)
      const title = await page.title()
      const shots = process.env['COUNTERSIGN_SCREENSHOTS']
      if (shots !== undefined) {
        const name = `${title} ${look}`.replaceAll(/[^\p{L}\d]+/gu, '-').slice(0, 120)
        const path = join(shots, `${name}${this.#seen.size}.png`)
        await page.screenshot({ path, fullPage: true })
      }
      problems.push(...(await seriousIn(page)).map((problem) => `${title}: ${problem}`))
    }
    return problems
  }

  async #pageFor(look: string, options: BrowserContextOptions): Promise<Page> {
    const known = this.#pages.get(look)
    if (known !== undefined) return known
    // The policy of a page does not let axe in.
    const context = await this.#browser.newContext({ ...options, bypassCSP: true })
    const page = await context.newPage()
    this.#pages.set(look, page)
    return page
  }
}

/** A page without what is another every time. */
const shapeOf = (text: string): string =>
  text.replaceAll(/(action|value|href|datetime)="[^"]*"|<code[^]*?<\/code>|\d+/g, '')

// The built site in a browser: it loads nothing from elsewhere, draws every diagram in light and in dark, and finds pages.

import assert from 'node:assert/strict'
import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { pagePaths, sitePath } from '../../../site/pages.ts'
import versions from '../../../site/versions.json' with { type: 'json' }
import { skipWithoutChromium, startChromium } from '../../servers/chromium.ts'
import { blocksOf } from '../examples/blocks.ts'
import { SITE, skipWithoutSite } from './packages.ts'

const DIST = join(SITE, 'dist')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
}

/** A server of files without any rule of its own, as any web server is. */
const serveSite = async (): Promise<Server> => {
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://site')
    const file = join(DIST, pathname.endsWith('/') ? `${pathname}index.html` : pathname)
    if (!existsSync(file)) return void response.writeHead(404).end()
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    createReadStream(file).pipe(response.writeHead(200, { 'content-type': type }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const addressOf = (page: string): string => `/${sitePath(page).replace(/\.md$/, '.html')}`

const pages = pagePaths()
const withDiagrams = pages.filter((page) =>
  blocksOf(page).some(({ language }) => language === 'mermaid'),
)

describe(
  'the site in a browser',
  { skip: skipWithoutSite('dist') || skipWithoutChromium() },
  () => {
    let server: Server
    let browser: Browser
    let origin = ''

    before(async () => {
      server = await serveSite()
      browser = await startChromium()
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      origin = `http://127.0.0.1:${address.port}`
    })

    after(async () => {
      await browser.close()
      server.close()
      server.closeAllConnections()
    })

    /** A page that takes down what it requests, and what the browser reports as an error. */
    const open = async (
      path: string,
      colorScheme: 'light' | 'dark' = 'light',
    ): Promise<{ readonly page: Page; readonly requests: string[]; readonly errors: string[] }> => {
      const page = await browser.newPage({ colorScheme })
      const [requests, errors]: [string[], string[]] = [[], []]
      page.on('request', (request) => void requests.push(request.url()))
      page.on('pageerror', (error) => void errors.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text())
      })
      await page.goto(origin + path)
      return { page, requests, errors }
    }

    const elsewhere = (requests: readonly string[]): readonly string[] =>
      requests.filter((url) => !url.startsWith(origin) && !url.startsWith('data:'))

    for (const scheme of ['light', 'dark'] as const) {
      for (const path of withDiagrams) {
        it(`draws the diagrams of ${path} in ${scheme}, and requests nothing elsewhere`, async () => {
          const { page, requests, errors } = await open(addressOf(path), scheme)
          const count = blocksOf(path).filter(({ language }) => language === 'mermaid').length
          await page
            .locator('.mermaid svg')
            .nth(count - 1)
            .waitFor()
          assert.equal(await page.locator('.mermaid svg').count(), count)
          assert.equal(await page.locator('.mermaid svg[aria-roledescription="error"]').count(), 0)
          assert.deepEqual(elsewhere(requests), [])
          assert.deepEqual(errors, [])
          await page.close()
        })
      }
    }

    it('has a page for each document, which has its heading', async () => {
      const { page } = await open('/')
      for (const path of pages) {
        const answer = await page.request.get(origin + addressOf(path))
        assert.equal(answer.status(), 200, path)
        assert.match(await answer.text(), /<h1[ >]/, path)
      }
      await page.close()
    })

    it('finds a page by its words, without another server', async () => {
      const { page, requests, errors } = await open('/')
      await page.getByRole('button', { name: 'Search' }).click()
      await page.locator('#localsearch-input').fill('certificate handle')
      await page.locator('.VPLocalSearchBox .result').first().waitFor()
      assert.deepEqual(elsewhere(requests), [])
      assert.deepEqual(errors, [])
      await page.close()
    })

    it('lists its versions', async () => {
      const { page } = await open('/')
      const text = await page.locator('.VPNav').innerHTML()
      for (const { version } of versions) assert.ok(text.includes(version))
      await page.close()
    })

    it('shows the text of a diagram without JavaScript', async () => {
      const context = await browser.newContext({ javaScriptEnabled: false })
      const page = await context.newPage()
      await page.goto(origin + addressOf('docs/explanation/request-path.md'))
      assert.match(await page.locator('main').innerText(), /sequenceDiagram/)
      await context.close()
    })
  },
)

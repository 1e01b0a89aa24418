// What is watched is noticed: each of these pages has one thing wrong with it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { seriousIn } from './axe.ts'
import { skipWithoutChromium, startChromium } from './chromium.ts'
import { watch, type Watch } from './watch.ts'

const PAGES: readonly { name: string; body: string; complaint: RegExp }[] = [
  {
    name: 'an error of a script',
    body: '<script>throw new Error("oh")</script>',
    complaint: /^script: oh$/,
  },
  {
    name: 'what a script writes to the console',
    body: '<script>console.warn("careful")</script>',
    complaint: /^warning: careful$/,
  },
  {
    name: 'what a policy forbids',
    body: '<img src="/image" alt="">',
    complaint: /^policy: img-src http/,
  },
  {
    name: 'a request in the clear',
    body: '<p>Hello</p>',
    complaint: /^asked for http:/,
  },
]

describe('a browser that is watched', { skip: skipWithoutChromium() }, () => {
  let browser: Browser
  let origin: string
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://server')
    const policy = "default-src 'none'; script-src 'unsafe-inline'"
    const headers = { 'content-type': 'text/html', 'content-security-policy': policy }
    response.writeHead(Number(searchParams.get('status') ?? 200), headers)
    response.end(`<!doctype html><title>x</title>${searchParams.get('body')}`)
  })
  before(async () => {
    browser = await startChromium()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  })
  after(async () => {
    await browser.close()
    server.close()
  })

  const visit = async (
    query: Readonly<Record<string, string>>,
    schemes: readonly string[] = ['http:'],
    then: (page: Page) => Promise<void> = async () => {},
  ): Promise<Watch> => {
    await using context = await browser.newContext()
    const watched = await watch(context, schemes)
    const page = await context.newPage()
    await page.goto(`${origin}/?${new URLSearchParams(query).toString()}`)
    await then(page)
    return watched
  }

  for (const { name, body, complaint } of PAGES) {
    it(`is heard about ${name}`, async () => {
      const schemes = name === 'a request in the clear' ? ['https:'] : ['http:']
      const { complaints } = await visit({ body }, schemes)
      assert.ok(
        complaints.some((text) => complaint.test(text)),
        complaints.join('\n'),
      )
    })
  }

  it('is heard about what could not be loaded, apart', async () => {
    const { complaints, statuses } = await visit({ body: '', status: '403' })
    assert.deepEqual([complaints, statuses], [[], [403]])
  })

  it('shows the pages that it was shown, and what is wrong with them', async () => {
    let serious: readonly string[] = []
    const { documents } = await visit({ body: '<input>' }, ['http:'], async (page) => {
      serious = await seriousIn(page)
    })
    assert.match(documents.join(), /^<!doctype html><html>.*<input>/)
    assert.ok(
      serious.some((text) => text.startsWith('label: <input>')),
      serious.join('\n'),
    )
  })
})

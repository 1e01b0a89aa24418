// Users with browsers at a site, one Chromium for a file of tests. After every test it is asserted that no
// browser reported a problem, and that the pages which were shown are accessible: a test cannot forget to.

import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { textsIn, type Language } from '../../src/pages/i18n/catalog.ts'
import { startChromium, trusting } from '../servers/chromium.ts'
import { chromiumHomeWith } from '../servers/chromium-home.ts'
import type { KeyPair } from '../servers/pki.ts'
import { watch, type Watch } from '../servers/watch.ts'
import { Examiner } from './examine.ts'
import { PASSWORDS, type Site } from './site.ts'

/** Where users go, and with what. */
export interface Place {
  readonly site: Pick<Site, 'pki' | 'target'>
  /** PEM files: certificates of other servers that they go to. */
  readonly servers?: readonly string[]
  /** The certificate that their browsers have. */
  readonly client?: KeyPair
}

/** A user’s browser. */
export interface BrowserOptions extends BrowserContextOptions {
  /** The statuses that its console is to tell of, in any order: each, and no other. */
  readonly refusals?: readonly number[]
}

/** A user with a browser of their own. */
export interface BrowserUser {
  readonly context: BrowserContext
  readonly page: Page
}

interface Guest {
  readonly context: BrowserContext
  readonly options: BrowserOptions
  readonly watched: Watch
}

/** Opens a browser; it is closed when the test ends. */
type Open = (options?: BrowserOptions) => Promise<BrowserUser>

// For one step, on a machine that has much else to do.
const TIMEOUT_MS = 20_000

/** For a `describe`, behind the hook that makes the place. */
export const usersAt = (placeOf: () => Place): Open => {
  const stack = new AsyncDisposableStack()
  const guests: Guest[] = []
  let examiner: Examiner
  let newContext: (options: BrowserContextOptions) => Promise<BrowserContext>
  before(async () => {
    const { site, servers = [], client } = placeOf()
    const home = client && stack.use(await chromiumHomeWith(client))
    const chromium = await startChromium(
      [
        `--host-resolver-rules=MAP *.example.org:443 127.0.0.1:${site.target.port}`,
        await trusting([site.pki.edge.certificate, ...servers]),
      ],
      home,
    )
    stack.defer(() => chromium.close())
    examiner = new Examiner(chromium)
    newContext = (options) => chromium.newContext(options)
  })
  after(() => stack.disposeAsync())
  afterEach(async (test) => {
    const left = guests.splice(0)
    if ('passed' in test && !test.passed)
      test.diagnostic((await Promise.all(left.map(seenBy))).join('\n'))
    await Promise.all(left.map(({ context }) => context.close()))
    for (const { options, watched } of left) {
      const { complaints, statuses, documents } = watched
      const problems = await examiner.problemsIn(documents, options)
      assert.deepEqual([...complaints, ...problems], [])
      assert.deepEqual(sorted(statuses), sorted(options.refusals ?? []))
    }
  })
  return async (options = {}) => {
    const context = await newContext(options)
    context.setDefaultTimeout(TIMEOUT_MS)
    guests.push({ context, options, watched: await watch(context) })
    return { context, page: await context.newPage() }
  }
}

const sorted = (numbers: readonly number[]): readonly number[] =>
  numbers.toSorted((one, other) => one - other)

/** What a user had before them when a test failed, and what their browser had reported. */
const seenBy = async ({ context, watched }: Guest): Promise<string> => {
  const pages = context.pages().map(async (page) => {
    const text = await page.locator('body').innerText()
    return `${page.url()}\n${text}`
  })
  const { complaints, statuses } = watched
  return [...(await Promise.all(pages)), ...complaints, `statuses: ${statuses.join(' ')}`].join(
    '\n',
  )
}

/** Logs in at the login page that is shown. */
export const logIn = async (
  page: Page,
  {
    user = 'alice',
    password = PASSWORDS.alice,
    language = 'en',
  }: { readonly user?: string; readonly password?: string; readonly language?: Language } = {},
): Promise<void> => {
  const { login } = textsIn(language)
  await page.getByLabel(login.user).fill(user)
  await page.getByLabel(login.password).fill(password)
  await page.keyboard.press('Enter')
}

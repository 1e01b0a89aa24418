// A user in front of a real browser, and what the scripts of the page get.

import type { BrowserContext, Page, WebSocket as PageSocket } from 'playwright-core'

/** User → password. */
export const PASSWORDS = { alice: 'wonderland', bob: 'builder' } as const

/** A user of the users file. */
export type User = keyof typeof PASSWORDS

/** A user in front of a browser. */
export interface Visitor extends AsyncDisposable {
  readonly context: BrowserContext
  readonly page: Page
  /** Fills in the login page. */
  logIn(user: User): Promise<void>
  /** What the script of the page gets that asks for something. */
  ask(path: string, init?: Asking): Promise<Response>
}

/** As for `fetch`. */
interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

interface Response {
  readonly status: number
  readonly redirected: boolean
  readonly body: string
}

/** They, in a browser of their own. */
export const visitorIn = (context: BrowserContext, page: Page): Visitor => ({
  context,
  page,
  async logIn(user) {
    await page.getByLabel('User name').fill(user)
    await page.getByLabel('Password').fill(PASSWORDS[user])
    await page.keyboard.press('Enter')
  },
  ask: (path, init = {}) =>
    page.evaluate(
      async ([at, options]) => {
        const answer = await fetch(at, options)
        const { status, redirected } = answer
        return { status, redirected, body: await answer.text() }
      },
      [path, init] as const,
    ),
  [Symbol.asyncDispose]: () => context.close(),
})

/** Opens a WebSocket as the script of the page does; it may be refused. */
export const socketOf = async (
  { page }: Visitor,
  url: string,
  protocols: readonly string[] = [],
): Promise<PageSocket> => {
  const opened = page.waitForEvent('websocket', (socket) => socket.url() === url)
  await page.evaluate(
    ([at, offered]) => {
      // oxlint-disable-next-line no-new -- the test listens from outside
      new WebSocket(at, [...offered])
    },
    [url, protocols] as const,
  )
  return await opened
}

/** The names of the namespaces that a watch has reported so far. */
export const namesFrom = (socket: PageSocket): (() => readonly string[]) => {
  const names: string[] = []
  socket.on('framereceived', ({ payload }) => {
    names.push(JSON.parse(String(payload)).object.metadata.name)
  })
  return () => names
}

/** What the browser says of a WebSocket that was not granted. */
export const refusalOf = async (socket: PageSocket): Promise<string> =>
  await socket.waitForEvent('socketerror')

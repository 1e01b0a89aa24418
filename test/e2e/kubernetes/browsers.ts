// Users with browsers who are logged in at our issuer.

import { readFile } from 'node:fs/promises'
import { Browser, follow } from '../../fakes/browser.ts'
import { openHttp2 } from '../../servers/client.ts'
import { BROWSERS } from './configuration.ts'
import type { KubeSite } from './kube-site.ts'
import { PASSWORD, type User } from './users.ts'

const HOST = `https://${BROWSERS}`

/** A user's browser, which has a session. */
export const loggedIn = async ({ port, pki }: KubeSite, { name }: User): Promise<Browser> => {
  const browser = new Browser({ port, tls: { ca: await readFile(pki.ca) } })
  const page = await follow(browser, `${HOST}/.countersign/login`)
  const { url } = await browser.submit(page, '/password', { user: name, password: PASSWORD })
  await follow(browser, url)
  return browser
}

/** Whether the API server answers a browser. */
export const isIn = async (browser: Browser): Promise<boolean> =>
  (await browser.get(`${HOST}/version`)).status === 200

/** A request by the session of a browser that has no end of its own; what has arrived of it so far. */
export const watchBy = async (
  { port, pki }: KubeSite,
  browser: Browser,
  path: string,
): Promise<{ readonly text: string } & AsyncDisposable> => {
  const session = await openHttp2({ port, serverName: BROWSERS, ca: pki.ca })
  const cookies = [...browser.cookiesOf(HOST)].map(([name, value]) => `${name}=${value}`)
  const head = { ':path': path, ':authority': BROWSERS, cookie: cookies.join('; ') }
  let text = ''
  session
    .request(head)
    .setEncoding('utf8')
    .on('data', (chunk: string) => (text += chunk))
  return {
    get text() {
      return text
    },
    async [Symbol.asyncDispose]() {
      session.destroy()
    },
  }
}

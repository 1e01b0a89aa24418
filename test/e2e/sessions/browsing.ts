// As much of a browser as goes to the dashboards and logs in there.

import { readFile } from 'node:fs/promises'
import { Browser, type Visit, follow } from '../../fakes/browser.ts'
import { PASSWORDS, type Site } from '../site.ts'
import { APP } from './dashboards.ts'

/** As a browser that goes to a page says it. */
export const NAVIGATING = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** Sends the form of a login page; what answers it. */
export const logInAt = async (page: Visit, browser: Browser): Promise<Visit> =>
  await browser.submit(page, '/password', { user: 'alice', password: PASSWORDS.alice })

/** Browsers of users at a site. */
export interface Browsers {
  readonly browserOf: (headers?: Readonly<Record<string, string>>) => Browser
  /** One that is logged in at the first host, through all redirects. */
  readonly loggedIn: () => Promise<Browser>
}

/** Makes them. */
export const browsersAt = async (site: Site): Promise<Browsers> => {
  const ca = await readFile(site.pki.ca)
  const browserOf: Browsers['browserOf'] = (headers = NAVIGATING) =>
    new Browser({ port: site.target.port, tls: { ca } }, headers)
  return {
    browserOf,
    loggedIn: async () => {
      const browser = browserOf()
      const login = await follow(browser, `${APP}/`)
      await follow(browser, (await logInAt(login, browser)).url)
      return browser
    },
  }
}

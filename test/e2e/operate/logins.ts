// Browsers of users who log in at a site.

import { readFile } from 'node:fs/promises'
import { Browser, follow } from '../../fakes/browser.ts'
import { NAVIGATING } from '../sessions/browsing.ts'
import { PASSWORD, type OperatedSite } from './operated-site.ts'

const APP = 'https://app.example.org/'

/** Logs a user in at the dashboard, through all redirects. */
export const logIn = async ({ machine, port }: OperatedSite, user: string): Promise<Browser> => {
  const ca = await readFile(machine.path('/etc/countersign/ca/ca.pem'))
  const browser = new Browser({ port, tls: { ca } }, NAVIGATING)
  const page = await follow(browser, APP)
  const answer = await browser.submit(page, '/password', { user, password: PASSWORD })
  await follow(browser, answer.url)
  return browser
}

/** Whether the dashboard answers this browser, and sends it to no login page. */
export const isLoggedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.get(APP)).status === 200

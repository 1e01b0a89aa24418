// The visit: what a browser does when a user logs in at the demo and logs out again, step by step.

import { readFile } from 'node:fs/promises'
import { Browser, type Visit } from '../test/fakes/browser.ts'
import { http1, pairsOf } from '../test/servers/client.ts'
import { APP_HOST, USERS, VISIT } from './tour.ts'

const COOKIE = '__Host-countersign'

/** Where the demo runs. */
export interface VisitedDemo {
  readonly port: number
  readonly ca: string
  readonly audit: string
}

/** What was not as it should be; what comes after it is not tried. */
export const visitFaults = async ({ port, ca, audit }: VisitedDemo): Promise<readonly string[]> => {
  const origin = `https://${APP_HOST}:${port}`
  const browser = new Browser({ port, tls: { ca: await readFile(ca) } }, { accept: 'text/html' })
  // 1. The route redirects requests without a session to the login page.
  const redirect = await browser.get(`${origin}${VISIT.path}`)
  const page = await browser.get(redirect.url)
  if (!page.body.includes('name="password"')) return [`no form at ${page.url.href}: ${page.status}`]
  // 2. The form leads back, and on to where it began.
  const { password } = USERS[VISIT.user]
  const proven = await browser.submit(page, '/password', { user: VISIT.user, password })
  const home = await browser.get(proven.url)
  const faults = homeFaults(home, await readFile(audit, 'utf8'))
  if (faults.length > 0) return faults
  // 3. A session that has ended is not valid, for any holder of its cookie.
  const cookie = `${COOKIE}=${browser.cookiesOf(origin).get(COOKIE) ?? ''}`
  const fetched = async (): Promise<number> => {
    const headers = [
      ['Sec-Fetch-Mode', 'same-origin'],
      ['Cookie', cookie],
    ] as const
    const target = { port, ca, serverName: APP_HOST }
    const host = `${APP_HOST}:${port}`
    return (await http1(target, { path: VISIT.path, host, headers })).status
  }
  const before = await fetched()
  if (before !== 200) return [`a script of the page got ${before}, not 200`]
  const leaving = await browser.get(`${origin}/.countersign/logout`)
  const question = await browser.get(leaving.url)
  const left = await browser.submit(question, '/confirm', { logout: 'yes' })
  const after = await fetched()
  if (after !== 401) return [`a script of the page got ${after} after the logout, not 401`]
  if (left.url.origin !== origin) return [`the logout led to ${left.url.href}`]
  return []
}

const homeFaults = ({ status, body }: Visit, audit: string): readonly string[] => {
  if (status !== 200) return [`status ${status} after the login, not 200`]
  const received: { readonly rawHeaders: readonly string[] } = JSON.parse(body)
  const lines = pairsOf(received.rawHeaders).map(([name, value]) => `${name}: ${value}`)
  const wanted = `x-remote-user: ${VISIT.user}`
  const events = audit.split('\n').filter((line) => line.includes('"event":"login"'))
  return [
    ...(lines.includes(wanted) ? [] : [`the upstream did not see "${wanted}"`]),
    ...(lines.some((line) => line.includes(COOKIE)) ? ['the upstream saw the cookie'] : []),
    ...(events.length === 1 ? [] : [`${events.length} audit events of logins, not one`]),
  ]
}

// A login as a browser begins it, up to the form that asks for a password.

import { readFileSync } from 'node:fs'
import { Browser } from '../../test/fakes/browser.ts'
import { ISSUER_HOST } from './configuration.ts'
import { authorizationPath, type BegunLogin } from './kinds.ts'

/** Begins one. */
export const beginLogin = async (port: number, ca: string): Promise<BegunLogin> => {
  const browser = new Browser({ port, tls: { ca: readFileSync(ca) } })
  const page = await browser.get(`https://${ISSUER_HOST}${authorizationPath()}`)
  const [form = ''] = /<form[^>]*\/password[^]*?<\/form>/.exec(page.body) ?? []
  const action = /action="([^"]*)"/.exec(form)?.[1]?.replaceAll('&amp;', '&')
  if (action === undefined) throw new Error(`no login form: ${page.status} ${page.body}`)
  const { pathname, search } = new URL(action, page.url)
  const hidden = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(
    ([input]): readonly [string, string] => [valueOf(input, 'name'), valueOf(input, 'value')],
  )
  return {
    path: `${pathname}${search}`,
    cookie: [...browser.cookiesOf(page.url.href)].map((pair) => pair.join('=')).join('; '),
    fields: Object.fromEntries(hidden),
  }
}

const valueOf = (tag: string, name: string): string =>
  new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? ''

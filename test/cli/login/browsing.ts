// The browser of a user who logs in: follows redirects with its cookies, and submits only the forms of the
// device flow.

import { readFile } from 'node:fs/promises'
import { httpFetcher } from '../../../src/runtime/http/fetch.ts'

/** A page, and where it came from. */
export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** The actions of a browser. */
interface BrowseOptions {
  readonly form?: URLSearchParams
  /** Stops before a URL that it would be sent to; that is then the page. */
  readonly until?: (url: URL) => boolean
}

/** A browser with an empty jar of cookies. */
export interface Browser {
  go(url: URL | string, options?: BrowseOptions): Promise<Page>
}

const LIMIT_MS = 10_000
const MOST_STEPS = 20
const MAX_BYTES = 1_048_576

/** @param ca the CA of the sites that it goes to, a PEM file */
export const newBrowser = async (ca: string): Promise<Browser> => {
  const { fetch } = httpFetcher({ ca: await readFile(ca) })
  const jar = new Map<string, string>()
  const ask = async (url: URL, form: URLSearchParams | undefined): Promise<Page> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const { status, headers, body } = await fetch(
      url,
      {
        method: form === undefined ? 'GET' : 'POST',
        headers: {
          ...(cookie === '' || url.protocol === 'http:' ? {} : { cookie }),
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        maxBytes: MAX_BYTES,
        ...(form === undefined ? {} : { body: form.toString() }),
      },
      AbortSignal.timeout(LIMIT_MS),
    )
    for (const line of headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return { url, status, headers, body: body.toString('utf8') }
  }
  return {
    async go(from, { form, until = () => false } = {}) {
      let page = await ask(new URL(from), form)
      for (let step = 0; step < MOST_STEPS; step++) {
        const { location } = page.headers
        if (page.status < 300 || page.status > 399 || location === undefined) return page
        const next = new URL(String(location), page.url)
        if (until(next)) return { ...page, url: next }
        page = await ask(next, undefined)
      }
      throw new Error(`too many redirects, the last to ${page.url.href}`)
    },
  }
}

/** Confirms a login on another device, at `oidc-provider`; gives the last page. */
export const confirmDevice = async (browser: Browser, completeUri: string): Promise<Page> => {
  const page = new URL('/device', completeUri)
  const first = await browser.go(completeUri)
  const form = fieldsIn(await browser.go(page, { form: fieldsIn(first) }))
  form.set('confirm', 'yes')
  return await browser.go(page, { form })
}

/** What the fields of the form of a page hold. */
const fieldsIn = ({ body }: Page): URLSearchParams =>
  new URLSearchParams(
    [...body.matchAll(/<input\b[^>]*>/g)].flatMap(([input]): [string, string][] => {
      const name = /\bname="([^"]*)"/.exec(input)?.[1]
      return name === undefined ? [] : [[name, /\bvalue="([^"]*)"/.exec(input)?.[1] ?? '']]
    }),
  )

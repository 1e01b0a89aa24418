// As much of a browser as forms and redirects need: it keeps cookies by host and path, follows
// redirects within one origin, and runs no scripts.

import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'

/** An answer, with whatever redirects led to it followed. */
export interface Visit {
  readonly url: URL
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Cookie {
  readonly host: string
  readonly name: string
  readonly value: string
  readonly path: string
}

const MOST_REDIRECTS = 10

/** The server that every name leads to. */
export interface Origin {
  readonly port: number
  /** The address of the browser. Default: as the system chooses. */
  readonly from?: string
  /** Absent for HTTP in the clear, PEM. */
  readonly tls?: {
    readonly ca: string | Buffer
    readonly client?: { readonly certificate: string | Buffer; readonly key: string | Buffer }
  }
}

/** One browser, whose every name leads to one server. */
export class Browser {
  readonly #origin: Origin
  readonly #headers: Readonly<Record<string, string>>
  #cookies: readonly Cookie[] = []

  /** @param headers further ones, of every request */
  constructor(origin: Origin, headers: Readonly<Record<string, string>> = {}) {
    this.#origin = origin
    this.#headers = headers
  }

  /** The names of the cookies of a host, and their values. */
  cookiesOf(url: string): ReadonlyMap<string, string> {
    const { hostname } = new URL(url)
    const own = this.#cookies.filter(({ host }) => host === hostname)
    return new Map(own.map(({ name, value }) => [name, value]))
  }

  /** Puts a cookie in, as another program on the host or a sibling host could. */
  plant(url: string, name: string, value: string, path = '/'): void {
    this.#keep({ host: new URL(url).hostname, name, value, path })
  }

  /** A browser with the same cookies; its headers are the same where it gets none. */
  copy(headers = this.#headers): Browser {
    const copy = new Browser(this.#origin, headers)
    copy.#cookies = this.#cookies
    return copy
  }

  async get(url: string | URL): Promise<Visit> {
    return await this.#go(new URL(url), 'GET')
  }

  async post(url: string | URL, fields: Readonly<Record<string, string>>): Promise<Visit> {
    return await this.#go(new URL(url), 'POST', new URLSearchParams(fields).toString())
  }

  /** Sends the form of a page whose path ends like that, with its hidden fields. */
  async submit(
    page: Visit,
    ending: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Visit> {
    const { url, body } = formAt(page, ending, fields)
    return await this.post(url, body)
  }

  /** What is at an address, wherever its answer leads. */
  async look(url: string | URL): Promise<Visit> {
    return await this.#ask(new URL(url), 'GET', undefined)
  }

  /** Sends a form as {@link submit} does, and stays where its answer leads elsewhere. */
  async send(
    page: Visit,
    ending: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Visit> {
    const { url, body } = formAt(page, ending, fields)
    return await this.#ask(url, 'POST', new URLSearchParams(body).toString())
  }

  async #go(start: URL, startMethod: string, startBody?: string): Promise<Visit> {
    let [url, method, body] = [start, startMethod, startBody]
    for (let left = MOST_REDIRECTS; left > 0; left -= 1) {
      const visit = await this.#ask(url, method, body)
      const { location } = visit.headers
      if (location === undefined) return visit
      const next = new URL(location, url)
      if (next.origin !== start.origin) return { ...visit, url: next }
      url = next
      method = 'GET'
      body = undefined
    }
    throw new Error('too many redirects')
  }

  async #ask(url: URL, method: string, body: string | undefined): Promise<Visit> {
    const { promise, resolve, reject } = Promise.withResolvers<Visit>()
    const cookie = this.#cookies
      .filter(({ host }) => host === url.hostname)
      .filter(({ path }) => url.pathname === path || `${url.pathname}/`.startsWith(under(path)))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const headers = {
      host: url.host,
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...this.#headers,
    }
    const path = `${url.pathname}${url.search}`
    const { port, tls, from } = this.#origin
    const local = from === undefined ? {} : { localAddress: from }
    const options = { host: '127.0.0.1', port, method, path, headers, ...local }
    const take = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        for (const line of response.headers['set-cookie'] ?? []) this.#obey(line, url)
        const { statusCode: status = 0, headers: received } = response
        resolve({ url, status, headers: received, body: Buffer.concat(chunks).toString('utf8') })
      })
    }
    const request =
      tls === undefined
        ? httpRequest(options, take)
        : httpsRequest(
            {
              ...options,
              servername: url.hostname,
              ca: tls.ca,
              ...(tls.client && { cert: tls.client.certificate, key: tls.client.key }),
              agent: false,
            },
            take,
          )
    request.on('error', reject)
    request.end(body)
    return await promise
  }

  /** RFC 6265 §5.3, as far as our cookies go. */
  #obey(line: string, url: URL): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const mark = pair.indexOf('=')
    const of = (key: string) =>
      attributes.find((part) => part.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1)
    const cookie = {
      host: url.hostname,
      name: pair.slice(0, mark),
      value: pair.slice(mark + 1),
      path: of('path') ?? url.pathname,
    }
    const expires = of('expires')
    if (
      cookie.value === '' ||
      of('max-age') === '0' ||
      (expires !== undefined && Date.parse(expires) <= Date.now())
    ) {
      this.#cookies = this.#cookies.filter((other) => !isSame(other, cookie))
    } else this.#keep(cookie)
  }

  #keep(cookie: Cookie): void {
    const others = this.#cookies.filter((other) => !isSame(other, cookie))
    this.#cookies = [...others, cookie]
  }
}

const isSame = (one: Cookie, other: Cookie): boolean =>
  one.host === other.host && one.name === other.name && one.path === other.path

const under = (path: string): string => (path.endsWith('/') ? path : `${path}/`)

interface Form {
  readonly action: string
  readonly hidden: Readonly<Record<string, string>>
}

const formAt = (
  { url, body }: Visit,
  ending: string,
  fields: Readonly<Record<string, string>>,
): { readonly url: URL; readonly body: Readonly<Record<string, string>> } => {
  const form = formsIn(body).find(({ action }) => action.split('?', 1)[0]?.endsWith(ending))
  if (form === undefined) throw new Error(`no form to ${ending} in: ${body.slice(0, 2_000)}`)
  return { url: new URL(form.action, url), body: { ...form.hidden, ...fields } }
}

const formsIn = (body: string): readonly Form[] =>
  [...body.matchAll(/<form[^]*?<\/form>/g)].map(([text]) => ({
    action: attributeIn(text.slice(0, text.indexOf('>')), 'action'),
    hidden: Object.fromEntries(
      [...text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
        attributeIn(input, 'name'),
        attributeIn(input, 'value'),
      ]),
    ),
  }))

const attributeIn = (tag: string, name: string): string =>
  (new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? '').replaceAll('&amp;', '&')

const MOST_HOPS = 8

/** Follows redirects, from host to host. */
export const follow = async (browser: Browser, start: string | URL): Promise<Visit> => {
  let visit = await browser.get(start)
  for (let hops = 0; hops < MOST_HOPS && visit.headers.location !== undefined; hops += 1) {
    visit = await browser.get(visit.url)
  }
  return visit
}

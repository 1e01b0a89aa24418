// Pages over real HTTP with exactly the headers that they are sent with, and what browsers send back.

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Language } from '../../src/pages/i18n/catalog.ts'
import { pageHeaders } from '../../src/pages/headers.ts'
import { render, type Html } from '../../src/pages/html.ts'
import type { Theme } from '../../src/pages/theme.ts'
import { contextOf, SAMPLES, type Sample } from '../fakes/pages.ts'

/** What a browser sent by a form. */
interface SentForm {
  readonly path: string
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

/** What is served. */
export interface PageServerOptions {
  readonly theme: Theme
  /** Where the answers to forms may lead. */
  readonly formTargets?: readonly string[]
  /** Where a form leads; by default a page that says nothing. Empty: nowhere, the page stays. */
  readonly answerTo?: (form: SentForm) => string | Promise<string>
  /** Bodies of further pages, whole ones, by path. */
  readonly bodies?: Readonly<Record<string, string>>
  /** Paths that redirect. */
  readonly redirects?: Readonly<Record<string, string>>
}

/** A running server. */
export interface PageServer extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  /** Every form that came, in order. */
  readonly forms: readonly SentForm[]
  /** The path of every request. */
  readonly paths: readonly string[]
  /** The address of a sample. */
  url(name: string, language?: Language): string
}

const LANDED = '/landed'

/** Starts it, on 127.0.0.1 unless another address is given. */
export const startPageServer = async (
  {
    theme,
    formTargets = [],
    answerTo = () => LANDED,
    bodies = {},
    redirects = {},
  }: PageServerOptions,
  address = '127.0.0.1',
): Promise<PageServer> => {
  const forms: SentForm[] = []
  const paths: string[] = []
  const headersFor = (language: Language, hasForms: boolean): Readonly<Record<string, string>> =>
    pageHeaders({
      theme,
      language,
      origin: 'http://127.0.0.1',
      formTargets: hasForms ? formTargets : undefined,
    })
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://server')
      paths.push(pathname)
      if (request.method === 'POST') {
        const form = { path: pathname, body: await text(request), headers: request.headers }
        forms.push(form)
        const location = await answerTo(form)
        if (location === '') response.writeHead(204).end()
        else response.writeHead(303, { location }).end()
        return
      }
      const redirect = redirects[pathname]
      const language = searchParams.get('lang') === 'de' ? 'de' : 'en'
      const body = bodyOf(pathname, bodies, (sample) => sample.page(contextOf(theme, language)))
      if (redirect !== undefined) response.writeHead(302, { location: redirect }).end()
      else if (body === undefined) response.writeHead(404).end()
      else response.writeHead(200, headersFor(language, body.hasForms)).end(body.text)
    }
    void answer()
  })
  server.listen(0, address)
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const origin = `http://${address.includes(':') ? `[${address}]` : address}:${port}`
  return {
    origin,
    port,
    forms,
    paths,
    url: (name, language = 'en') => `${origin}/${name}?lang=${language}`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const bodyOf = (
  path: string,
  bodies: Readonly<Record<string, string>>,
  pageOf: (sample: Sample) => Html,
): { readonly text: string; readonly hasForms: boolean } | undefined => {
  const own = bodies[path]
  if (own !== undefined) return { text: own, hasForms: true }
  if (path === LANDED) return { text: '<!doctype html><title>landed</title>', hasForms: false }
  const sample = SAMPLES.find(({ name }) => `/${name}` === path)
  return sample && { text: render(pageOf(sample)), hasForms: sample.hasForms }
}

// Dashboards at two hosts, and the authorization server at which users log in for both: the base of every
// scenario here.

import { mkdir, readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { startSite, type Site, type SiteOptions } from '../site.ts'

export const ISSUER = 'https://id.example.org'
export const APP = 'https://app.example.org'
export const OTHER = 'https://other.example.org'

/** The cookie of a session. */
export const COOKIE = '__Host-countersign'

/** What differs between them. */
export interface DashboardOptions extends Pick<
  SiteOptions,
  'authenticators' | 'more' | 'movable' | 'verify'
> {
  /** Keys of `issuer.login` that differ. */
  readonly login?: Readonly<Record<string, unknown>>
  /** The section `session` at the one host, and at the other. */
  readonly sessions?: readonly [app: object, other: object]
  /** Keys of both routes that differ. */
  readonly dashboard?: Readonly<Record<string, unknown>>
}

/** Starts them. */
export const startDashboards = async ({
  login = {},
  sessions: [app, other] = [{ cacheTtl: '0s' }, { cacheTtl: '0s' }],
  dashboard = {},
  authenticators = {},
  ...options
}: DashboardOptions = {}): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const keys = folder.file('keys')
  await mkdir(keys)
  await writeSigningKeys(keys, [await madeKey('ES256')])
  const routeOf = (name: string, session: string) => ({
    name,
    match: { hosts: [`${name}.example.org`] },
    authenticate: [session, 'staff'],
    authorize: [
      { deny: 'not-bob', users: ['bob'] },
      { allow: 'staff', groups: ['dev'] },
    ],
    forward: { headers: 'kubernetes', bearer: { mint: { audience: 'kubernetes' } } },
    ...dashboard,
  })
  const site = stack.use(
    await startSite({
      ...options,
      issuer: { url: ISSUER, keys, login: { authenticators: ['staff'], ...login } },
      authenticators: {
        browser: { session: app },
        another: { session: other },
        ...authenticators,
      },
      routes: [routeOf('app', 'browser'), routeOf('other', 'another')],
    }),
  )
  const running = stack.move()
  return { ...site, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

const receivedSchema = z.object({ rawHeaders: z.array(z.string()) })

/** The headers that the upstream got, by what it answered; of several of one name the last. */
export const gotBy = (body: string): Readonly<Record<string, string>> => {
  const { rawHeaders } = receivedSchema.parse(JSON.parse(body))
  return Object.fromEntries(
    rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? '']] : [],
    ),
  )
}

/** What a script of a page is answered. */
export interface Fetched {
  readonly status: number
  readonly type: string
  readonly body: string
}

// What runs in the page is a text, since this program has no types of the DOM. Without the limit a password
// dialog of the browser's own, which no test can close, would let it wait without end.
const FETCH = `(async () => {
  const headers = { accept: 'application/json' }
  const answer = await fetch('/api', { headers, signal: AbortSignal.timeout(10_000) })
  const type = answer.headers.get('content-type')
  return { status: answer.status, type, body: await answer.text() }
})()`

/** Has a script of the page that is open ask the dashboard for data. */
export const fetchedBy = async (page: Page): Promise<Fetched> => await page.evaluate<Fetched>(FETCH)

/** The events of that name in the audit log, oldest first. */
export const eventsAt = async (
  { files }: Pick<Site, 'files'>,
  event: string,
): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(files.audit, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((line) => line['event'] === event)

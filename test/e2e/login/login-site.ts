// A site where users log in for an application, which is all that the scenarios here see of it: it needs no
// identity of a user.

import { mkdir, readFile } from 'node:fs/promises'
import * as openid from 'openid-client'
import { Browser } from '../../fakes/browser.ts'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { CALLBACK, ISSUER } from '../../issuer/authorization-server.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { startSite, type Site, type SiteOptions } from '../site.ts'

// RFC 7636, appendix B.
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

/** What differs between them. */
export interface LoginSiteOptions extends Omit<SiteOptions, 'issuer' | 'routes'> {
  /** The section `issuer.login`. */
  readonly login: Readonly<Record<string, unknown>>
}

/** Starts one. */
export const startLoginSite = async ({
  login,
  authenticators,
  ...options
}: LoginSiteOptions): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const keys = folder.file('keys')
  await mkdir(keys)
  await writeSigningKeys(keys, [await madeKey('ES256')])
  const site = stack.use(
    await startSite({
      ...options,
      issuer: {
        url: ISSUER,
        keys,
        login,
        theme: { name: 'Example Works' },
        clients: {
          spa: { name: 'Dashboards', redirectUris: [CALLBACK] },
          cli: { grantTypes: ['device_code'] },
        },
      },
      authenticators: { ...authenticators, nobody: { anonymous: {} } },
      routes: [
        {
          name: 'app',
          match: { hosts: ['app.example.org'] },
          authenticate: ['nobody'],
          authorize: [{ allow: 'everybody' }],
        },
      ],
    }),
  )
  const running = stack.move()
  return { ...site, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Where the application sends users for a login; it does not redeem the code with which they return. */
export const authorizationUrl = (): string => {
  const url = new URL('/authorize', ISSUER)
  url.search = new URLSearchParams({
    client_id: 'spa',
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    state: 'there',
  }).toString()
  return url.href
}

/** An independent client library, set up for a client of the site. */
export const clientAt = async (
  site: Pick<Site, 'pki' | 'target'>,
  id: string,
): Promise<openid.Configuration> => {
  const tls = { ca: await readFile(site.pki.ca) }
  // Node's fetch cannot be given the address of a name.
  const reach: openid.CustomFetch = async (url, { method, headers, body }) => {
    const fields = body instanceof URLSearchParams ? Object.fromEntries(body) : {}
    const browser = new Browser({ port: site.target.port, tls }, headers)
    const visit = method === 'POST' ? await browser.post(url, fields) : await browser.get(url)
    const type = visit.headers['content-type'] ?? ''
    return new Response(visit.body, { status: visit.status, headers: { 'content-type': type } })
  }
  return await openid.discovery(new URL(ISSUER), id, undefined, openid.None(), {
    [openid.customFetch]: reach,
  })
}

/** Every login of the audit log, oldest first. */
export const loginsAt = async ({
  files,
}: Pick<Site, 'files'>): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(files.audit, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ event }) => event === 'login')

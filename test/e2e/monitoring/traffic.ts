// What callers do at the monitored site, so that every panel of the dashboards has something to show: requests that pass and that are
// refused, with each kind of credential, logins and logouts, tokens, certificates, lock-outs and errors.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as openid from 'openid-client'
import { z } from 'zod'
import { Browser, follow } from '../../fakes/browser.ts'
import { SdsClient } from '../../fakes/sds-client.ts'
import { authorization, ISSUER, SECRET } from '../../issuer/authorization-server.ts'
import { CONFORMANCE_USERS } from '../../authenticate/password/conformance.ts'
import { http1, type Answer, type HeaderLine } from '../../servers/client.ts'
import { clientAt } from '../login/login-site.ts'
import { basic, eventually } from '../site.ts'
import { PASSWORD, type MonitoredSite } from './monitored-site.ts'
import { HOSTS } from './site-configuration.ts'

type Host = keyof typeof HOSTS

const bearer = (token: string): HeaderLine => ['authorization', `Bearer ${token}`]

const ALICE = basic('alice', PASSWORD)
const ACCOUNT = `${ISSUER}/account`

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

// Of an issuer whose keys cannot be fetched.
const PARTNERS_TOKEN = [
  part({ alg: 'ES256', kid: 'p' }),
  part({ iss: 'https://partners.example.net', aud: 'edge', sub: 'p', exp: 4e9 }),
  'A'.repeat(86),
].join('.')

/** One round of all of it. What a caller gets does not matter: a panel without data fails the test. */
export const oneRound = async (site: MonitoredSite, number: number): Promise<void> => {
  await Promise.allSettled([requests(site, number), logins(site, number), tokens(site)])
}

const ask = async (
  { target, servers }: MonitoredSite,
  host: Host,
  headers: readonly HeaderLine[] = [],
  options: { readonly path?: string; readonly method?: string; readonly certified?: true } = {},
): Promise<Answer> => {
  const { certified, ...request } = options
  const client = certified === true ? { client: servers.client } : {}
  return await http1({ ...target, serverName: HOSTS[host], ...client }, { headers, ...request })
}

const requests = async (site: MonitoredSite, number: number): Promise<void> => {
  const { id_token: token } = z
    .object({ id_token: z.string() })
    .parse(await (await fetch(`${site.servers.provider.issuer}/token`, { method: 'POST' })).json())
  const directory = basic('jürgen', CONFORMANCE_USERS['jürgen'].password)
  await Promise.all([
    ...Array.from({ length: 6 + (number % 5) }, () => ask(site, 'app', [ALICE])),
    ...Array.from({ length: 4 }, () => ask(site, 'kubernetes', [], { certified: true })),
    ask(site, 'app', [ALICE], { method: 'DELETE' }),
    ask(site, 'app', [ALICE], { path: '/secrets/one' }),
    ask(site, 'app'),
    ask(site, 'app', [basic(`guest${number}`, 'wrong')]),
    ask(site, 'api', [directory]),
    ask(site, 'api', [basic(`nemo${number}`, 'right')]), // RADIUS accepts
    ask(site, 'api', [bearer(token)]),
    ask(site, 'api', [bearer(`${token.slice(0, -4)}AAAA`)]),
    ask(site, 'api', [bearer('opaque')]),
    ask(site, 'api', [bearer('inactive')]),
    ask(site, 'kubernetes', [ALICE]),
    ask(site, 'kubernetes', [basic(`user${number}`, 'right')]), // a new certificate
    ask(site, 'misconfigured', [ALICE]),
    ask(site, 'service', [ALICE]),
    ask(site, 'legacy', [basic('alice', `${number}`)]),
    ask(site, 'partners', [bearer(PARTNERS_TOKEN)]),
    ...Array.from({ length: 3 }, (_none, index) =>
      ask(site, 'partners', [bearer(`unknown-${number}-${index}`)]),
    ),
    ...Array.from({ length: 3 }, (_none, index) =>
      ask(site, 'app', [basic('mallory', `guess ${number} ${index}`)]),
    ),
    unknownMethod(site),
  ])
}

/** A method that authz does not have: a failed call of gRPC. */
const unknownMethod = async ({ folder }: MonitoredSite): Promise<void> => {
  using client = new SdsClient({ kind: 'unix', path: folder.file('authz.sock') })
  await client.open('/envoy.service.auth.v3.Authorization/Unknown').ended
}

const browserAt = async ({ target }: MonitoredSite, headers = {}): Promise<Browser> =>
  new Browser({ port: target.port, tls: { ca: await readFile(target.ca) } }, headers)

const logIn = async (browser: Browser, user: string, password = PASSWORD) =>
  await browser.submit(await browser.get(ACCOUNT), '/password', { user, password })

/** A wrong password, a login, a session, an authorization for another application, and a logout. */
const logins = async (site: MonitoredSite, number: number): Promise<void> => {
  const browser = await browserAt(site)
  await logIn(browser, `visitor${number}`, 'wrong')
  await logIn(browser, 'alice')
  await follow(browser, `https://${HOSTS.app}/.countersign/login`)
  await browser.get(`https://${HOSTS.app}/`)
  const client = await clientAt({ pki: site.servers.pki, target: site.target }, 'spa')
  const { url, checks } = await authorization(client)
  await openid.authorizationCodeGrant(client, (await browser.get(url)).url, checks)
  await browser.submit(await browser.get(`${ISSUER}/logout`), '/confirm', { logout: 'yes' })
}

const tokens = async (site: MonitoredSite): Promise<void> => {
  const robot = await browserAt(site, Object.fromEntries([basic('robot', SECRET)]))
  await robot.post(`${ISSUER}/token`, {
    grant_type: 'client_credentials',
    resource: 'https://api.example.org',
  })
  const cli = await browserAt(site)
  await cli.post(`${ISSUER}/token`, { grant_type: 'made-up', client_id: 'cli' })
  await cli.post(`${ISSUER}/device/authorize`, { client_id: 'cli' })
}

/** A user whose groups change and who is then removed: the login is renewed, and ends. */
export const offboarding = async (site: MonitoredSite): Promise<void> => {
  const browser = await browserAt(site)
  await logIn(browser, 'carol')
  await follow(browser, `https://${HOSTS.app}/.countersign/login`)
  const until = async (event: string): Promise<void> => {
    await eventually(
      async () => {
        await browser.look(`https://${HOSTS.app}/`)
        return await readFile(join(site.folder.path, 'audit.jsonl'), 'utf8')
      },
      (log) => log.includes(`"event":"${event}"`),
      20_000,
    )
  }
  await site.writeUsers({ alice: ['dev'], carol: ['ops'], mallory: [] })
  await until('login-renewed')
  await site.writeUsers({ alice: ['dev'], mallory: [] })
  await until('login-ended')
}

// What workers share by `state`: a login that begins at one and ends at another, a session that both know, its end, and DPoP proofs.
// Each request goes to a known worker, by a real Envoy that knows this one alone.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { LOGOUT_FORM } from '../../../src/issuer/http/paths.ts'
import { claimsOf, jwksOf, makeKey } from '../../authenticate/bearer/issuing.ts'
import { makeCaller } from '../../authenticate/bearer/proving.ts'
import { Browser, follow } from '../../fakes/browser.ts'
import { until } from '../../fakes/until.ts'
import { http1, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy, startEnvoy, type Envoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { auditEventsIn, decisionsIn } from '../audit-events.ts'
import { logInAt, NAVIGATING } from '../sessions/browsing.ts'
import { APP, COOKIE, gotBy, OTHER, startDashboards } from '../sessions/dashboards.ts'
import { bootstrapOf, type Site } from '../site.ts'

const CACHE_MS = 1_000
const SESSION = { cacheTtl: `${CACHE_MS}ms` }

const fileOf = ({ files: { config } }: Site, name: string): string => join(config, '..', name)

/** The audit file of a worker. */
const auditOf = (site: Site, worker: number): string =>
  worker === 0 ? site.files.audit : fileOf(site, `audit-${worker}.jsonl`)

/** How often a worker has written an event of that name. */
const eventsOf = async (site: Site, event: string): Promise<readonly number[]> => {
  const all = await Promise.all([0, 1].map((worker) => auditEventsIn(auditOf(site, worker))))
  return all.map((events) => events.filter((one) => one.event === event).length)
}

/** An Envoy of the site that knows one worker alone. */
const startEnvoyAt = async (site: Site, worker: number): Promise<Envoy> => {
  const config = z
    .looseObject({ listen: z.looseObject({}), envoy: z.looseObject({}) })
    .parse(parse(await readFile(site.files.config, 'utf8')))
  const suffix = worker === 0 ? '' : `-${worker}`
  const listen = { authz: `unix:authz${suffix}.sock`, issuer: `unix:issuer${suffix}.sock` }
  const envoy = { ...config.envoy, admin: `unix:admin-of-${worker}.sock` }
  const file = fileOf(site, `countersign-of-${worker}.yaml`)
  await writeFile(file, stringify({ ...config, workers: 1, listen, envoy }))
  return await startEnvoy({ bootstrap: await bootstrapOf(file) })
}

describe('what workers share by a state file', { skip: skipWithoutEnvoy() }, () => {
  const stack = new AsyncDisposableStack()
  const issuer = makeKey()
  let site: Site
  let ca: Buffer
  let ports: readonly number[]

  before(async () => {
    const folder = stack.use(await temporaryFolder())
    const keys = folder.file('keys.json')
    await writeFile(keys, jwksOf(await issuer))
    site = stack.use(
      await startDashboards({
        more: { workers: 2, state: { sqlite: 'state.db' } },
        sessions: [SESSION, SESSION],
        authenticators: {
          tokens: {
            bearer: {
              realm: 'DPoP test',
              issuer: claimsOf().iss,
              audiences: [claimsOf().aud],
              keys: { file: keys },
              dpop: {},
            },
            identity: { user: 'claims.sub', groups: '["dev"]' },
          },
        },
        dashboard: { authenticate: ['browser', 'tokens', 'staff'] },
      }),
    )
    ca = await readFile(site.pki.ca)
    const envoys = await Promise.all([0, 1].map((worker) => startEnvoyAt(site, worker)))
    ports = await Promise.all(envoys.map((envoy) => stack.use(envoy).port()))
  })
  after(() => stack.disposeAsync())

  /** A browser whose requests go to one worker until it is at another one. */
  const browserAt = (worker: number) => {
    let at = worker
    const origin = {
      tls: { ca },
      get port(): number {
        return ports[at] ?? 0
      },
    }
    return { browser: new Browser(origin, NAVIGATING), goTo: (next: number) => void (at = next) }
  }

  /** A browser at worker 0 that logged in at worker 1. */
  const loggedIn = async () => {
    const { browser, goTo } = browserAt(0)
    const login = await follow(browser, `${APP}/orders`)
    goTo(1)
    const back = await logInAt(login, browser)
    goTo(0)
    const page = await follow(browser, back.url)
    return { browser, goTo, page }
  }

  it('a login begins at one worker and ends at the other; both know its session', async () => {
    const [logins, began] = [await eventsOf(site, 'login'), await eventsOf(site, 'session-began')]
    const { browser, goTo, page } = await loggedIn()
    assert.equal(page.status, 200, page.body)
    assert.equal(page.url.href, `${APP}/orders`)
    assert.deepEqual(await eventsOf(site, 'login'), [logins[0], (logins[1] ?? 0) + 1])
    assert.deepEqual(await eventsOf(site, 'session-began'), [(began[0] ?? 0) + 1, began[1]])
    for (const worker of [1, 0]) {
      goTo(worker)
      const answer = await browser.get(`${APP}/`)
      assert.equal(answer.status, 200)
      assert.equal(gotBy(answer.body)['x-remote-user'], 'alice')
      const decision = (await decisionsIn(auditOf(site, worker))).at(-1)
      assert.deepEqual([decision?.authentication, decision?.user], ['session', 'alice'])
    }
  })

  it('a login at one worker needs no password for another host at the other', async () => {
    const { browser, goTo } = await loggedIn()
    goTo(1)
    const page = await follow(browser, `${OTHER}/`)
    assert.equal(page.status, 200)
    assert.equal(gotBy(page.body)['x-remote-user'], 'alice')
  })

  it('a session that is ended at one worker is refused at the other within cacheTtl', async () => {
    const { browser, goTo } = await loggedIn()
    const stolen = browser.cookiesOf(APP).get(COOKIE) ?? ''
    goTo(1)
    assert.equal((await browser.get(`${APP}/`)).status, 200)
    goTo(0)
    const form = await follow(browser, `${APP}/.countersign/logout`)
    await browser.submit(form, LOGOUT_FORM, { logout: 'yes' })
    const ended = performance.now()
    const { browser: thief } = browserAt(1)
    thief.plant(APP, COOKIE, stolen)
    const statusOf = async (): Promise<{ status: number; sent: number }> => {
      const sent = performance.now() - ended
      return { status: (await thief.look(`${APP}/`)).status, sent }
    }
    let last = await statusOf()
    await until(async () => {
      const next = await statusOf()
      if (next.status === 200) last = next
      return next.status !== 200
    })
    assert.ok(
      last.status !== 200 || last.sent <= CACHE_MS,
      `accepted ${last.sent} ms after the end`,
    )
  })

  it('a DPoP proof that was used at one worker is refused at the other', async () => {
    const caller = await makeCaller()
    const now = Math.floor(Date.now() / 1_000)
    const token = await (
      await issuer
    ).token(claimsOf({ iat: now, exp: now + 300, cnf: { jkt: caller.thumbprint } }))
    const send = async (worker: number, proof: string): Promise<number> => {
      const headers: readonly HeaderLine[] = [
        ['Authorization', `DPoP ${token}`],
        ['DPoP', proof],
      ]
      const { host } = new URL(APP)
      const target = { port: ports[worker] ?? 0, serverName: host, ca: site.pki.ca }
      return (await http1(target, { host, headers })).status ?? 0
    }
    for (const [first, second] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const proof = await caller.proof(token, { iat: now, htu: `${APP}/` })
      assert.equal(await send(first, proof), 200)
      assert.equal(await send(second, proof), 401)
      const refused = (await decisionsIn(auditOf(site, second))).at(-1)
      assert.equal(refused?.reason, 'proof-replayed')
    }
  })
})

// Users and programs at three dashboards behind one login. Steps are in README.md.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import type { HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutHeadlampPages } from '../../servers/headlamp.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import type { KeyPair } from '../../servers/pki.ts'
import { bearer } from '../asking.ts'
import { basic, eventually } from '../site.ts'
import { accessToken, ASK_WHO, REVIEW, tokenIdIn, userIn } from './asking.ts'
import { HOSTS, startDashboards, type Dashboards } from './site.ts'
import { namesFrom, PASSWORDS, refusalOf, socketOf, type User, type Visitor } from './visitor.ts'

const skip = skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutChromium()

const NAMESPACES = '/clusters/main/api/v1/namespaces'
const WATCH = `${NAMESPACES}?watch=1`

describe('dashboards behind one login', { skip, timeout: 240_000 }, () => {
  const started = new AsyncDisposableStack()
  let site: Dashboards
  before(async () => {
    site = started.use(await startDashboards())
  })
  after(() => started.disposeAsync())

  /** A user who has logged in at a dashboard. */
  const loggedIn = async (
    user: User = 'alice',
    host: string = HOSTS.headlamp,
  ): Promise<Visitor> => {
    const visitor = await site.open()
    await visitor.page.goto(`${site.originOf(host)}/`)
    await visitor.logIn(user)
    await visitor.page.waitForURL(`${site.originOf(host)}/**`)
    return visitor
  }

  const watch = (visitor: Visitor) =>
    socketOf(visitor, `${site.originOf(HOSTS.headlamp).replace('https', 'wss')}${WATCH}`, [
      'base64.binary.k8s.io',
    ])

  it('1. Headlamp: a user logs in, and the API server knows the identity', async () => {
    await using alice = await site.open()
    const page = `${site.originOf(HOSTS.headlamp)}/c/main/namespaces?filter=a#top`
    await alice.page.goto(page)
    assert.equal(new URL(alice.page.url()).origin, site.issuer)
    await alice.logIn('alice')
    await alice.page.waitForURL(page)
    const review = await alice.ask(`/clusters/main${REVIEW}`, ASK_WHO)
    const user = userIn(review.body)
    assert.equal(user.username, 'alice')
    assert.deepEqual(user.groups, ['dev', 'ops', 'system:authenticated'])
    const event = await site.recipe.lastEventOn(HOSTS.headlamp, `/clusters/main${REVIEW}`)
    assert.equal(event?.authentication, 'session')
    assert.deepEqual(event.jti, [tokenIdIn(user.extra)])
    const audited = await eventually(
      async () =>
        (await site.cluster.server.audited()).findLast(({ requestURI }) => requestURI === REVIEW),
      (line) => line !== undefined,
    )
    assert.equal(audited?.user.username, 'alice')
    assert.deepEqual(event.jti, [tokenIdIn(audited.user.extra)])
    const response = await alice.ask('/clusters/main/me')
    const { username, groups } = JSON.parse(response.body)
    assert.deepEqual([username, groups], ['alice', ['dev', 'ops']])
  })

  it('2. RBAC decides: alice may list namespaces, bob may not', async () => {
    await using alice = await loggedIn('alice')
    const list = await alice.ask(NAMESPACES)
    assert.equal(list.status, 200, list.body)
    await using bob = await loggedIn('bob')
    const refused = await bob.ask(NAMESPACES)
    assert.equal(refused.status, 403)
    assert.match(refused.body, /User \\"bob\\" cannot list resource/)
  })

  it('3. changes in the cluster arrive by WebSocket', async () => {
    await using alice = await loggedIn()
    const socket = await watch(alice)
    const seen = namesFrom(socket)
    await eventually(
      async () => seen(),
      (names) => names.includes('default'),
    )
    await site.cluster.server.call({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { metadata: { name: 'made-meanwhile' } },
    })
    await eventually(
      async () => seen(),
      (names) => names.includes('made-meanwhile'),
    )
    await using bob = await loggedIn('bob')
    assert.match(await refusalOf(await watch(bob)), /403/)
  })

  it('4. hostile: identity headers of the browser are removed, or the request is refused', async () => {
    const { server } = site.cluster
    await using alice = await loggedIn()
    const asAlice = async (headers: Readonly<Record<string, string>>): Promise<string> => {
      const request = { ...ASK_WHO, headers: { ...ASK_WHO.headers, ...headers } }
      const { status, body } = await alice.ask(`/clusters/main${REVIEW}`, request)
      return status === 201 ? userIn(body).username : String(status)
    }
    await server.createServiceAccount('default', 'stranger')
    const stranger = await server.tokenOf('default', 'stranger')
    assert.equal(await asAlice({ 'X-Forwarded-Id-Token': stranger }), 'alice')
    assert.equal(await asAlice({ 'X-Forwarded-User': 'root', 'X-Remote-User': 'root' }), 'alice')
    assert.equal(await asAlice({ 'Impersonate-User': 'root' }), '403')
    assert.equal(await asAlice({ Authorization: `Bearer ${stranger}` }), 'alice')
    const response = await alice.ask('/clusters/main/me', {
      headers: { 'X-Forwarded-User': 'root', 'X-Forwarded-Email': 'root@example.org' },
    })
    const { username, email } = JSON.parse(response.body)
    assert.deepEqual([username, email], ['alice', ''])
    // Headlamp has a login of its own: a token in a cookie.
    for (const path of ['/auth/set-token', '/clusters/main/set-token']) {
      await alice.ask(path, { method: 'POST', body: '{}' })
      const event = await site.recipe.lastEventOn(HOSTS.headlamp, path)
      assert.equal(event?.rule, 'one-login', path)
    }
    const url = site.originOf(HOSTS.headlamp)
    await alice.context.addCookies([{ url, name: 'headlamp-auth-main.0', value: stranger }])
    assert.equal(await asAlice({}), 'alice')
  })

  it('5. after the session has ended, scripts and WebSockets get 401, and pages the login page', async () => {
    await using alice = await loggedIn()
    assert.equal((await alice.ask(NAMESPACES)).status, 200)
    const grafana = await alice.context.newPage()
    await grafana.goto(`${site.originOf(HOSTS.grafana)}/`)
    const tab = await alice.context.newPage()
    await tab.goto(`${site.originOf(HOSTS.headlamp)}/.countersign/logout`)
    await tab.getByRole('button', { name: 'Log out' }).click()
    await tab.waitForURL(`${site.issuer}/login/**`)
    const ended = await alice.ask(NAMESPACES)
    assert.deepEqual([ended.status, ended.redirected], [401, false])
    // As Chromium says it of 401.
    assert.match(await refusalOf(await watch(alice)), /HTTP Authentication failed/)
    // There the cookie is still: the session is remembered for a few seconds at most.
    const elsewhere = async () =>
      await grafana.evaluate(async () => (await fetch('/api/user')).status)
    await eventually(elsewhere, (status) => status === 401)
    const event = await site.recipe.lastEventOn(HOSTS.grafana, '/api/user')
    assert.equal(event?.reason, 'session-ended')
    await alice.page.goto(`${site.originOf(HOSTS.headlamp)}/c/main`)
    await alice.page.waitForURL(`${site.issuer}/login/**`)
  })

  it('6. the Kubernetes Dashboard opens by the same login', async () => {
    await using alice = await loggedIn()
    await alice.page.goto(`${site.originOf(HOSTS.dashboard)}/`)
    assert.equal(new URL(alice.page.url()).origin, site.originOf(HOSTS.dashboard))
    const { status, body } = await alice.ask('/api/v1/namespace')
    assert.equal(status, 200, body)
    assert.match(body, /kube-system/)
    const event = await site.recipe.lastEventOn(HOSTS.dashboard, '/api/v1/namespace')
    assert.deepEqual(event?.forwarded, ['minted-token'])
    await using bob = await loggedIn('bob', HOSTS.dashboard)
    const refused = await bob.ask('/api/v1/namespace')
    assert.match(refused.body, /MSG_FORBIDDEN_ERROR/)
  })

  it('7. Grafana knows the user, the groups and the role; forged headers are removed', async () => {
    await using alice = await loggedIn('alice', HOSTS.grafana)
    const url = site.originOf(HOSTS.grafana)
    await alice.context.addCookies([{ url, name: 'grafana_session', value: 'its-own' }])
    const forged = {
      'X-WEBAUTH-USER': 'admin',
      'X-WEBAUTH-ROLE': 'GrafanaAdmin',
      'X-WEBAUTH-EMAIL': 'root@example.org',
      'X-WEBAUTH-GROUPS': '["x"]',
    }
    const { body } = await alice.ask('/api/user', { headers: forged })
    const admin = { login: 'alice', orgRole: 'Admin', groups: ['dev', 'ops'] }
    assert.deepEqual(JSON.parse(body), admin)
    const got = site.grafana.received.at(-1) ?? {}
    assert.equal(got.cookie, 'grafana_session=its-own')
    assert.equal(got.authorization, undefined)
    assert.deepEqual(
      Object.keys(got).filter((name) => /^(x[-_](webauth|remote|forwarded-(user|id)))/.test(name)),
      ['x-webauth-user', 'x-webauth-groups', 'x-webauth-role'],
    )
    const socket = await socketOf(alice, `${url.replace('https', 'wss')}/api/live/ws`)
    const frame = await socket.waitForEvent('framereceived')
    assert.match(String(frame.payload), /"client":"alice"/)
    await using bob = await loggedIn('bob', HOSTS.grafana)
    const viewer = JSON.parse((await bob.ask('/api/user')).body)
    assert.deepEqual(viewer, { login: 'bob', orgRole: 'Viewer', groups: [] })
  })

  it('12. hostile: pages of one dashboard cannot change anything at another', async () => {
    const { recipe } = site
    await using alice = await loggedIn()
    await alice.page.goto(`${site.originOf(HOSTS.grafana)}/`)
    await alice.page.evaluate(
      async (at) => {
        await fetch(at, { method: 'POST', mode: 'no-cors', credentials: 'include' })
      },
      `${site.originOf(HOSTS.headlamp)}${NAMESPACES}`,
    )
    const lastRefusal = async () => {
      const event = await recipe.lastEventOn(HOSTS.headlamp, NAMESPACES)
      return [event?.method, event?.reason]
    }
    assert.deepEqual(await lastRefusal(), ['POST', 'cross-origin'])
    assert.match(await refusalOf(await watch(alice)), /403/)
    assert.deepEqual(await lastRefusal(), ['GET', 'cross-origin'])
  })

  it(
    '13. Headlamp’s pages show alice the cluster',
    { skip: skipWithoutHeadlampPages() },
    async () => {
      await using alice = await site.open()
      await alice.page.goto(`${site.originOf(HOSTS.headlamp)}/c/main/namespaces`)
      await alice.logIn('alice')
      await alice.page.getByRole('link', { name: 'kube-system' }).waitFor()
      await site.cluster.server.call({
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { metadata: { name: 'made-while-alice-looks' } },
      })
      await alice.page.getByRole('link', { name: 'made-while-alice-looks' }).waitFor()
      const shots = process.env['COUNTERSIGN_SCREENSHOTS']
      if (shots !== undefined) await alice.page.screenshot({ path: join(shots, 'headlamp.png') })
    },
  )

  describe('programs at the dashboards’ API', () => {
    const WAYS: readonly {
      name: string
      groups: readonly string[]
      show: () => Promise<{
        headers?: readonly HeaderLine[]
        client?: KeyPair
      }>
    }[] = [
      {
        name: '8. by certificate',
        groups: ['developers'],
        show: async () => ({ client: site.cluster.pki.alice }),
      },
      {
        name: '9. by an access token of Countersign’s issuer, from countersign login',
        groups: ['dev', 'ops'],
        show: async () => ({ headers: [bearer(await accessToken(site))] }),
      },
      {
        name: '10. by password',
        groups: ['dev', 'ops'],
        show: async () => ({ headers: [basic('alice', PASSWORDS.alice)] }),
      },
    ]
    for (const { name, groups, show } of WAYS) {
      it(name, async () => {
        const presented = await show()
        const { recipe, grafana } = site
        const review = await recipe.ask(HOSTS.headlamp, {
          ...ASK_WHO,
          path: `/clusters/main${REVIEW}`,
          ...presented,
          headers: [...Object.entries(ASK_WHO.headers), ...(presented.headers ?? [])],
        })
        assert.equal(review.status, 201, review.body)
        const user = userIn(review.body)
        assert.equal(user.username, 'alice')
        assert.deepEqual(user.groups, [...groups, 'system:authenticated'])
        assert.deepEqual((await recipe.lastEvent()).jti, [tokenIdIn(user.extra)])
        const list = await recipe.ask(HOSTS.dashboard, { path: '/api/v1/namespace', ...presented })
        assert.match(list.body, /kube-system/)
        const known = await recipe.ask(HOSTS.grafana, { path: '/api/user', ...presented })
        const { login, groups: response } = JSON.parse(known.body)
        assert.deepEqual([login, response], ['alice', groups])
        const { authorization, cookie } = grafana.received.at(-1) ?? {}
        assert.deepEqual([authorization, cookie], [undefined, undefined])
      })
    }

    it('11. are refused without a credential', async () => {
      for (const host of Object.values(HOSTS)) {
        assert.equal((await site.recipe.ask(host, { path: '/api/user' })).status, 401, host)
      }
    })
  })
})

// A user who has a session is removed: how long the session lasts by the default times, through the real
// Envoy, with a clock that is put forward.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutFreeRadius,
  startFreeRadius,
  type FreeRadius,
} from '../../servers/freeradius.ts'
import { basic, eventually, HOST, PASSWORDS, type Site } from '../site.ts'
import { http1 } from '../../servers/client.ts'
import { browsersAt } from './browsing.ts'
import { follow } from '../../fakes/browser.ts'
import { APP, eventsAt, OTHER, startDashboards } from './dashboards.ts'

describe('a user of the users file who is removed', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    site = await startDashboards({ movable: true })
  })
  after(() => site[Symbol.asyncDispose]())

  it('is logged out everywhere after login.recheck, by default 5 minutes', async () => {
    const { loggedIn } = await browsersAt(site)
    const browser = await loggedIn()
    assert.equal((await follow(browser, `${OTHER}/`)).status, 200)
    const text = await readFile(site.files.users, 'utf8')
    await writeFile(site.files.users, text.replace(/^ {2}alice:$/m, '  alicia:'))
    await eventually(
      async () => {
        const headers = [basic('alice', PASSWORDS.alice)]
        return (await http1(site.target, { host: HOST, headers })).status
      },
      (status) => status === 401,
    )
    assert.equal((await browser.get(`${APP}/`)).status, 200, 'the file alone ends no login')
    await site.authz.pass(5)
    for (const start of [APP, OTHER]) {
      const page = await follow(browser, `${start}/`)
      assert.equal(page.url.host, 'id.example.org')
      assert.match(page.body, /name="password"/)
    }
    const events = await eventsAt(site, 'login-ended')
    assert.deepEqual(
      events.map(({ user, cause, detail }) => [user, cause, detail]),
      [['alice', 'recheck', 'user-unknown']],
    )
  })
})

const skip = skipWithoutEnvoy() || skipWithoutFreeRadius()

describe('a user of a RADIUS server, which cannot be queried about users', { skip }, () => {
  let radius: FreeRadius
  let site: Site
  before(async () => {
    radius = await startFreeRadius([
      { name: 'alice', password: PASSWORDS.alice, reply: ['Class = "dev"'] },
    ])
    const secret = join(radius.authority.folder, 'radius.secret')
    await writeFile(secret, radius.secret, { mode: 0o600 })
    const servers = [{ host: `127.0.0.1:${radius.port}`, secret: `file:${secret}` }]
    site = await startDashboards({
      movable: true,
      verify: [{ radius: { servers, groups: [{ attribute: 'Class' }], timeout: '2s' } }],
      login: { idleTimeout: '24h' },
      sessions: [{ cacheTtl: '0s', idleTimeout: '24h', maxLifetime: '24h' }, { cacheTtl: '0s' }],
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await radius[Symbol.asyncDispose]()
  })

  it('is logged out after login.maxLifetimeWithoutRecheck, by default 8 hours', async () => {
    const { loggedIn } = await browsersAt(site)
    const browser = await loggedIn()
    await site.authz.pass(7 * 60 + 59)
    assert.equal((await browser.get(`${APP}/`)).status, 200)
    await site.authz.pass(1)
    for (const start of [APP, OTHER]) {
      const page = await follow(browser, `${start}/`)
      assert.equal(page.url.host, 'id.example.org')
      assert.match(page.body, /name="password"/)
    }
  })
})

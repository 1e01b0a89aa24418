// A second factor at the login page, requested by a real FreeRADIUS: once, twice, and over TLS.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import {
  authorization,
  configuration,
  startSite,
  type Site,
} from '../../issuer/authorization-server.ts'
import {
  skipWithoutFreeRadius,
  startFreeRadius,
  type FreeRadius,
} from '../../servers/freeradius.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'

describe('a second factor by FreeRADIUS', { skip: skipWithoutFreeRadius() }, () => {
  let radius: FreeRadius
  let folder: TemporaryFolder
  before(async () => {
    radius = await startFreeRadius([
      { name: 'carol', password: 'c', second: 'code', reply: ['Class = "otp-users"'] },
      { name: 'pia', password: 'p', second: 'pin' },
      { name: 'paul', password: 'p' },
    ])
    folder = await temporaryFolder()
    await writeFile(folder.file('radius.secret'), radius.secret)
  })
  after(async () => {
    await radius[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const siteBy = async (way: 'udp' | 'tls'): Promise<Site> => {
    const { port, tlsPort, authority, client } = radius
    const server =
      way === 'udp'
        ? { host: `127.0.0.1:${port}`, secret: `file:${folder.file('radius.secret')}` }
        : {
            host: `localhost:${tlsPort}`,
            tls: {
              ca: authority.ca,
              client: { certificate: client.certificate, key: `file:${client.key}` },
            },
          }
    const verifier = { radius: { servers: [server], groups: [{ attribute: 'Class' }] } }
    const users = '{ users: { file: users.yaml } }'
    return await startSite(configuration().replace(users, JSON.stringify(verifier)))
  }
  const ask = async (site: Site, user: string, password: string) => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client)
    const browser = site.browser()
    const page = await browser.submit(await browser.get(url), '/password', { user, password })
    return { client, checks, browser, page }
  }

  for (const way of ['udp', 'tls'] as const) {
    it(`is requested by ${way}, and yields the tokens that the password alone did not`, async () => {
      await using site = await siteBy(way)
      const { client, checks, browser, page } = await ask(site, 'carol', 'c')
      assert.match(page.body, /Enter your one-time code:/)
      const { url } = await browser.submit(page, '/challenge', { answer: '123456' })
      const tokens = await openid.authorizationCodeGrant(client, url, checks)
      assert.equal(tokens.claims()?.sub, 'carol')
      assert.deepEqual(tokens.claims()?.['groups'], ['otp-users'])
      const login = (await site.audit('login')).at(-1)
      assert.deepEqual(
        [login?.['outcome'], login?.['authenticator'], login?.['authentication']],
        ['succeeded', 'staff', 'basic'],
      )
    })
  }

  it('is refused when it is wrong, and requested again after the password', async () => {
    await using site = await siteBy('udp')
    const { browser, page } = await ask(site, 'carol', 'c')
    const wrong = await browser.submit(page, '/challenge', { answer: '000000' })
    assert.equal(wrong.status, 403)
    const again = await browser.submit(wrong, '/password', { user: 'carol', password: 'c' })
    const { url } = await browser.submit(again, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'))
  })

  it('may have two challenges', async () => {
    await using site = await siteBy('udp')
    const { browser, page } = await ask(site, 'pia', 'p')
    const second = await browser.submit(page, '/challenge', { answer: '4711' })
    assert.match(second.body, /PIN accepted/)
    const { url } = await browser.submit(second, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'))
  })

  it('is not requested from users without one, or after a wrong password', async () => {
    await using site = await siteBy('udp')
    assert.ok((await ask(site, 'paul', 'p')).page.url.searchParams.has('code'))
    const { page } = await ask(site, 'carol', 'wrong')
    assert.equal(page.status, 403)
    assert.doesNotMatch(page.body, /name="answer"/)
  })
})

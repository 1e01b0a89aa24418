// Where what a login proved is not known any more, it has ended: pages ask for another login, and tokens are
// good for nothing.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as openid from 'openid-client'
import { LoginStore, accountKey } from '../../src/logins/login-store.ts'
import { opened, fileSettings } from '../state/opening.ts'
import {
  authorization,
  configuration,
  logIn,
  refusalOf,
  startSite,
} from './authorization-server.ts'
import { temporaryFolder } from '../servers/temporary.ts'

/** A site, and how what its logins of alice proved is lost. */
const startLosing = async () => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const file = folder.file('state')
  const site = stack.use(
    await startSite(
      configuration().replace('audit:', `state: { sqlite: { file: ${file} } }\naudit:`),
    ),
  )
  const running = stack.move()
  return {
    site,
    async lose() {
      const { state, [Symbol.asyncDispose]: close } = await opened(fileSettings(file))
      assert.equal((await new LoginStore(state.records).list('alice')).length, 1)
      const keys = await state.records.keysIn('artifacts of account alice')
      const accounts = keys.filter((key) => key.startsWith(accountKey('')))
      assert.equal(accounts.length, 1)
      await state.records.remove(accounts)
      await close()
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

describe('a login that ends while its consent page is open', () => {
  it('has to be repeated, and yields no tokens', async () => {
    await using losing = await startLosing()
    const { site } = losing
    const client = await site.client('partner')
    const browser = site.browser()
    const { url } = await authorization(client, { redirect_uri: 'https://partner.example.net/cb' })
    const question = await browser.get(await logIn(browser, url))
    assert.match(question.body, /\/consent[?"]/)
    await losing.lose()
    const next = await browser.submit(question, '/consent', { answer: 'allow' })
    const page = await browser.get(next.url)
    assert.equal(page.status, 200, page.body)
    assert.match(page.body, /name="password"/)
  })
})

describe('a login that has ended, while its tokens are still stored', () => {
  it('makes them inactive for introspection, and refused elsewhere', async () => {
    await using losing = await startLosing()
    const { site } = losing
    const client = await site.client('web')
    const { url, checks } = await authorization(client)
    const back = await logIn(site.browser(), url)
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    const { access_token: access, refresh_token: refresh = '' } = tokens
    const activeOf = async (token: string) =>
      (await openid.tokenIntrospection(client, token)).active
    assert.deepEqual([await activeOf(access), await activeOf(refresh)], [true, true])
    await losing.lose()
    assert.deepEqual([await activeOf(access), await activeOf(refresh)], [false, false])
    await assert.rejects(openid.fetchUserInfo(client, access, 'alice'), { status: 401 })
    assert.equal(await refusalOf(openid.refreshTokenGrant(client, refresh)), 'invalid_grant')
  })
})

// A login that ends while its browser is at a page of ours: what comes next asks for another login.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LoginRecords, accountKey } from '../../src/issuer/authorization/login-records.ts'
import { opened, fileSettings } from '../state/opening.ts'
import { authorization, configuration, logIn, startSite } from './authorization-server.ts'
import { temporaryFolder } from '../servers/temporary.ts'

describe('a login that ends while a question is open', () => {
  it('is asked for again, and nothing is given out by it', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state')
    await using site = await startSite(
      configuration().replace('audit:', `state: { sqlite: { file: ${file} } }\naudit:`),
    )
    const client = await site.client('partner')
    const browser = site.browser()
    const { url } = await authorization(client, { redirect_uri: 'https://partner.example.net/cb' })
    const question = await browser.get(await logIn(browser, url))
    assert.match(question.body, /\/consent[?"]/)
    const { state, [Symbol.asyncDispose]: close } = await opened(fileSettings(file))
    assert.equal((await new LoginRecords(state.records).list('alice')).length, 1)
    const accounts = (await state.records.keysIn('artifacts of account alice')).filter((key) =>
      key.startsWith(accountKey('')),
    )
    assert.equal(accounts.length, 1)
    await state.records.remove(accounts)
    await close()
    const next = await browser.submit(question, '/consent', { answer: 'allow' })
    const page = await browser.get(next.url)
    assert.equal(page.status, 200, page.body)
    assert.match(page.body, /name="password"/)
  })
})

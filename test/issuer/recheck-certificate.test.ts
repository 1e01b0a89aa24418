// Certificates that were presented at the login page are verified again while the login lasts.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createAuthority, type Authority } from '../servers/pki.ts'
import { startSite, type Site } from './authorization-server.ts'
import { until } from '../fakes/until.ts'
import { ACCOUNT, isIn, sessionOn, withSessions } from './session/browsing.ts'

const YAML = withSessions()
  .replace('issuer: "127.0.0.1:0"', 'issuer: "unix:issuer.sock"')
  .replace('authenticators: [staff]\n', 'authenticators: [cards]\n    recheck: 1s\n')
  .replace(
    '  staff: {',
    '  cards: { certificate: { trust: ca.pem, revocation: { denied: { file: denied.txt } } } }\n  staff: {',
  )

describe('a login by certificate', () => {
  let authority: Authority
  before(async () => {
    authority = await createAuthority('Countersign login test CA')
  })
  after(async () => await authority[Symbol.asyncDispose]())

  /** Logs a user in by a certificate; the cookie of a session on a route. */
  const logInBy = async (site: Site, certificate: string) => {
    const browser = site.browser({ 'x-countersign-certificate': encodeURIComponent(certificate) })
    const page = await browser.submit(await browser.get(ACCOUNT), '/certificate')
    assert.equal(page.url.href, ACCOUNT, page.body)
    return { browser, cookie: await sessionOn(browser) }
  }

  it('stays active while the certificate is valid, and ends when it is denied', async () => {
    const { certificate } = await authority.issue({ commonName: 'carol', usage: 'client' })
    const pem = await readFile(certificate, 'utf8')
    const files = { 'ca.pem': await readFile(authority.ca, 'utf8'), 'denied.txt': '# none yet\n' }
    await using site = await startSite(YAML, files)
    const { browser, cookie } = await logInBy(site, pem)
    const end = performance.now() + 2_500
    await until(async () => {
      assert.equal(await isIn(site.authz, cookie), true)
      return performance.now() > end
    }, 'time stands still')
    assert.deepEqual(await site.audit('login-ended'), [])
    const digest = new X509Certificate(pem).fingerprint256.replaceAll(':', '')
    await site.edit('denied.txt', () => `sha256 ${digest}\n`)
    await until(async () => !(await isIn(site.authz, cookie)), 'the session goes on')
    assert.match((await browser.get(ACCOUNT)).body, /\/certificate["?]/, 'the login page')
    const events = await site.audit('login-ended')
    assert.deepEqual(
      events.map(({ loginMethod, authenticator, cause, detail }) => [
        loginMethod,
        authenticator,
        cause,
        detail,
      ]),
      [['certificate', 'cards', 'recheck', 'certificate-denied']],
    )
  })

  it('ends when its CA is removed from the trust anchors', async () => {
    await using other = await createAuthority('Countersign another test CA')
    const { certificate } = await authority.issue({ commonName: 'dave', usage: 'client' })
    const files = { 'ca.pem': await readFile(authority.ca, 'utf8'), 'denied.txt': '# none\n' }
    await using site = await startSite(YAML, files)
    const { cookie } = await logInBy(site, await readFile(certificate, 'utf8'))
    await site.edit('ca.pem', async () => await readFile(other.ca, 'utf8'))
    await until(async () => !(await isIn(site.authz, cookie)), 'the session goes on')
    assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'certificate-untrusted')
  })
})

// What the login page shows to a guesser, in a real browser through the real Envoy: the same for users that
// exist and that do not, and when a lock-out begins.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { CALLBACK } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { logIn, usersAt } from '../browser-users.ts'
import { PASSWORDS, type Site } from '../site.ts'
import { authorizationUrl, loginsAt, startLoginSite } from './login-site.ts'

const ATTEMPTS = 3
const LOCK_MINUTES = 15
const LOCKED = 'too-many-attempts'

const pace = (attempts: number) => ({ attempts, lockAfter: attempts, lockFor: `${LOCK_MINUTES}m` })

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('guessing at the login page', { skip }, () => {
  let site: Site
  before(async () => {
    const verify = [{ users: { file: 'users.yaml' } }]
    const guard = { userAndSource: pace(ATTEMPTS), source: pace(100) }
    site = await startLoginSite({
      login: { authenticators: ['guarded'] },
      authenticators: {
        guarded: { basic: { realm: 'Site', verify, bruteForceProtection: guard } },
      },
      movable: true,
    })
  })
  const open = usersAt(() => ({ site }))
  after(() => site[Symbol.asyncDispose]())

  /** What a guesser sees: words, fields and which of them has the focus, without what was typed. */
  const seenOn = async (page: Page, user: string): Promise<string> => {
    const focus = await page.locator('input:focus').getAttribute('name')
    const aria = await page.locator('body').ariaSnapshot()
    return `${await page.title()}\n${aria.replaceAll(user, 'USER')}\n${focus}`
  }

  /** What a guesser sees until the lock-out begins, page by page, and the statuses. */
  const guess = async (page: Page, user: string): Promise<readonly string[]> => {
    const seen: string[] = []
    const statuses: string[] = []
    page.on('response', (response) => {
      if (response.request().method() === 'POST') statuses.push(String(response.status()))
    })
    await page.goto(authorizationUrl())
    for (const password of ['red', 'green', 'blue', 'black']) {
      await logIn(page, { user, password })
      await page.getByRole('alert').waitFor()
      seen.push(await seenOn(page, user))
    }
    return [...statuses, ...seen]
  }

  it('does not distinguish an unknown user, up to the lock-out', async () => {
    const refusals = [403, 403, 403, 429]
    const [there, nowhere] = [await open({ refusals }), await open({ refusals })]
    const seen = await guess(there.page, 'bob')
    assert.deepEqual(await guess(nowhere.page, 'nobody-of-that-name'), seen)
    assert.deepEqual(seen.slice(0, 4), ['403', '403', '403', '429'])
    const [wrong = '', , , locked = ''] = seen.slice(4)
    assert.match(wrong, /^Wrong user name or password[^]*Check both and try again[^]*password$/)
    assert.match(locked, /^Too many attempts[^]*Please try again in 15 minutes/)
    // The log distinguishes them.
    const reasons = (await loginsAt(site)).map(({ reason }) => reason)
    const refused = (why: string) => [...Array.from({ length: ATTEMPTS }, () => why), LOCKED]
    assert.deepEqual(reasons, [...refused('credential-wrong'), ...refused('user-unknown')])
  })

  it('is refused even with the correct password until the lock-out ends', async () => {
    const { page } = await open({ refusals: [403, 403, 403, 429, 429, 429] })
    await guess(page, 'alice')
    await logIn(page)
    await page.getByText('Please try again in 15 minutes.').waitFor()
    await site.authz.pass(LOCK_MINUTES - 2)
    await logIn(page)
    await page.getByText('Please try again in 2 minutes.').waitFor()
    await site.authz.pass(2)
    await logIn(page)
    await page.waitForURL(`${CALLBACK}?**`)
  })

  it('locks no other user out, in the same browser', async () => {
    const { page } = await open({ refusals: [403, 403, 403, 429] })
    await guess(page, 'mallory')
    await logIn(page, { user: 'jürgen', password: PASSWORDS.jürgen })
    await page.waitForURL(`${CALLBACK}?**`)
  })
})

// What is kept of logins until they end: each by itself, also of two in one browser session.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  HeldLogins,
  type LocalLogin,
  type UpstreamLogin,
} from '../../../../src/issuer/login/provider/held-logins.ts'
import { MemoryRecords } from '../../../../src/state/memory-records.ts'
import { FakeClock } from '../../../fakes/clock.ts'

const HOUR = 3_600_000

const opened = () => {
  const clock = new FakeClock()
  const now = clock.now()
  const upstream = (provider: string, ends: number): UpstreamLogin => ({
    session: 'session-1',
    user: 'alice',
    provider,
    signed: { sub: `alice at ${provider}` },
    idToken: `ID token of ${provider}`,
    renewal: { refreshToken: `refresh token of ${provider}`, from: now, by: now + HOUR },
    ends: now + ends,
  })
  const local: LocalLogin = {
    session: 'session-1',
    user: 'alice',
    authenticator: 'staff',
    way: 'password',
    ends: now + 3 * HOUR,
  }
  return { held: new HeldLogins(new MemoryRecords(clock)), now, upstream, local }
}

describe('what is held of logins in one session', () => {
  it('stays what it was when another login is made there', async () => {
    const { held, now, upstream, local } = opened()
    const [first, second] = [upstream('corp', HOUR), upstream('partner', 2 * HOUR)]
    await held.put('login-1', first, now)
    await held.put('login-2', second, now)
    await held.put('login-3', local, now)
    assert.deepEqual((await held.find('login-1'))?.held, first)
    assert.deepEqual((await held.find('login-2'))?.held, second)
    assert.deepEqual((await held.find('login-3'))?.held, local)
    assert.deepEqual(await held.latestIn('session-1'), second)
  })

  it('ends with the session, and no token is kept', async () => {
    const { held, now, upstream, local } = opened()
    const [first, second] = [upstream('corp', HOUR), upstream('partner', 2 * HOUR)]
    await held.put('login-1', first, now)
    await held.put('login-2', second, now)
    await held.put('login-3', local, now)
    await held.put('login-4', { ...upstream('corp', HOUR), session: 'session-2' }, now)
    assert.deepEqual(await held.end('session-1', now), [second, first])
    for (const login of ['login-1', 'login-2', 'login-3']) {
      const standing = await held.find(login)
      assert.equal(standing?.held.ended, true)
      assert.doesNotMatch(standing?.text ?? '', /token of/)
    }
    assert.equal((await held.find('login-4'))?.held.ended, undefined)
    assert.deepEqual(await held.end('session-1', now), [], 'they had ended already')
  })
})

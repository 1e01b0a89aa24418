// What is kept of logins until they end: each by itself, also of two in one browser session.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ProvenLogins,
  type LocalLogin,
  type FederatedLogin,
} from '../../src/logins/proven-logins.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { FakeClock } from '../fakes/clock.ts'
import { confusedWith } from '../fakes/confused-names.ts'

const HOUR = 3_600_000

const opened = () => {
  const clock = new FakeClock()
  const now = clock.now()
  const upstream = (provider: string, ends: number): FederatedLogin => ({
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
    method: 'password',
    ends: now + 3 * HOUR,
  }
  return { provenLogins: new ProvenLogins(new MemoryRecords(clock)), now, upstream, local }
}

describe('what is proven of logins in one session', () => {
  it('stays what it was when another login is made there', async () => {
    const { provenLogins, now, upstream, local } = opened()
    const [first, second] = [upstream('corp', HOUR), upstream('partner', 2 * HOUR)]
    await provenLogins.put('login-1', first, now)
    await provenLogins.put('login-2', second, now)
    await provenLogins.put('login-3', local, now)
    assert.deepEqual((await provenLogins.find('login-1'))?.proven, first)
    assert.deepEqual((await provenLogins.find('login-2'))?.proven, second)
    assert.deepEqual((await provenLogins.find('login-3'))?.proven, local)
    assert.deepEqual(await provenLogins.latestIn('session-1'), second)
  })

  it('has the claims as they were signed, whatever names were read before', async () => {
    const { provenLogins, now, upstream } = opened()
    const name = 'CORP\\role'
    const login = { ...upstream('corp', HOUR), signed: { sub: 'alice', [name]: 'admin' } }
    JSON.parse(JSON.stringify({ ...login, signed: { sub: 'alice', [confusedWith(name)]: 1 } }))
    await provenLogins.put('login-1', login, now)
    assert.deepEqual((await provenLogins.find('login-1'))?.proven, login)
  })

  it('ends with the session, and no token is kept', async () => {
    const { provenLogins, now, upstream, local } = opened()
    const [first, second] = [upstream('corp', HOUR), upstream('partner', 2 * HOUR)]
    await provenLogins.put('login-1', first, now)
    await provenLogins.put('login-2', second, now)
    await provenLogins.put('login-3', local, now)
    await provenLogins.put('login-4', { ...upstream('corp', HOUR), session: 'session-2' }, now)
    assert.deepEqual(await provenLogins.end('session-1', now), [second, first])
    for (const login of ['login-1', 'login-2', 'login-3']) {
      const known = await provenLogins.find(login)
      assert.equal(known?.proven.ended, true)
      assert.doesNotMatch(known?.text ?? '', /token of/)
    }
    assert.equal((await provenLogins.find('login-4'))?.proven.ended, undefined)
    assert.deepEqual(await provenLogins.end('session-1', now), [], 'they had ended already')
  })
})

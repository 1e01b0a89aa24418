// Logins and the sessions by them, as they are listed and ended: also those whose login is over, and those
// that begin while they are being ended.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BrowserSessions } from '../../src/logins/browser-sessions.ts'
import { SESSION_CLIENT } from '../../src/logins/session-client.ts'
import { LoginStore } from '../../src/logins/login-store.ts'
import { recordAdapter } from '../fakes/record-adapter.ts'
import { listLogins } from '../../src/logins/live-logins.ts'
import { Logout } from '../../src/logins/logout.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { FakeClock } from '../fakes/clock.ts'

const HOUR = 3_600_000

const opened = () => {
  const clock = new FakeClock()
  const store = new MemoryRecords(clock)
  const keys = new DerivedKeys()
  const sessions = new BrowserSessions(store, keys, clock)
  const parts = { records: new LoginStore(store), sessions, keys }
  const notified: string[] = []
  const logout = new Logout({
    ...parts,
    upstreamLogout: { end: () => Promise.resolve(undefined) },
    notify: async (client, user, sid) => void notified.push(`${client} ${user} ${sid}`),
  })
  const logIn = async (uid: string, user = 'alice'): Promise<void> => {
    const authorizations = { [SESSION_CLIENT]: { sid: `sid-${uid}` }, spa: { sid: `spa-${uid}` } }
    const payload = { uid, accountId: user, loginTs: 1, exp: 2, authorizations }
    await recordAdapter('Session', store).upsert(uid, payload, 3_600)
  }
  const begin = async (login: string | undefined, host = 'app.example.org', user = 'alice') => {
    const text = await sessions.begin({
      user,
      claims: {},
      login,
      host,
      source: '203.0.113.9',
      userAgent: 'Browser/1.0',
      ends: clock.now() + HOUR,
      idle: HOUR,
    })
    return text ?? assert.fail('its login was ended')
  }
  return { ...parts, parts, logout, notified, logIn, begin }
}

describe('logins', () => {
  it('are listed once for all hosts where a browser has sessions', async () => {
    const { parts, logIn, begin } = opened()
    await logIn('one')
    await begin('sid-one')
    await begin('sid-one', 'other.example.org')
    const [login, ...more] = await listLogins(parts, 'alice')
    assert.deepEqual(more, [])
    assert.deepEqual(login?.hosts, ['app.example.org', 'other.example.org'])
    assert.deepEqual(login?.clients, ['spa'])
    assert.deepEqual([login?.source, login?.userAgent], ['203.0.113.9', 'Browser/1.0'])
    assert.notEqual(login?.id, 'one', 'forms are known by the uid')
  })

  it('are listed while one of their sessions is left, and their end ends it', async () => {
    const { parts, sessions, logout, begin } = opened()
    const texts = [await begin('unlisted'), await begin('unlisted', 'other.example.org')]
    const without = await begin(undefined)
    const logins = await listLogins(parts)
    assert.deepEqual(
      logins.map(({ sessions: ids }) => ids.length).toSorted((one, other) => one - other),
      [1, 2],
    )
    for (const login of logins) await logout.endOne(login)
    for (const text of [...texts, without]) {
      assert.equal(await sessions.find(text), undefined)
    }
  })

  it('hostile: end with a session that began after they were listed', async () => {
    const { parts, sessions, logout, logIn, begin } = opened()
    await logIn('one')
    const [login] = await listLogins(parts, 'alice')
    assert.ok(login)
    const late = await begin('sid-one')
    await logout.endOne(login)
    assert.equal(await sessions.find(late), undefined)
  })

  it('are reported to each client by its own sid, and not to the built-in client', async () => {
    const { parts, logout, notified, logIn } = opened()
    await logIn('one')
    await logIn('two')
    await logIn('three', 'bob')
    const [login] = await listLogins(parts, 'bob')
    assert.ok(login)
    await logout.endOne(login)
    assert.deepEqual(notified.splice(0), ['spa bob spa-three'])
    await logout.endAll('alice')
    assert.deepEqual(notified.toSorted(), ['spa alice spa-one', 'spa alice spa-two'])
    await logout.endOne(login)
    assert.equal(notified.length, 2, 'an ended login is reported once')
  })
})

// Sessions of browsers: when they end, and what ends them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BrowserSessions, type NewSession } from '../../src/logins/browser-sessions.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { FakeClock } from '../fakes/clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const made = () => {
  const clock = new FakeClock()
  const records = new MemoryRecords(clock)
  const sessions = new BrowserSessions(records, new DerivedKeys(), clock)
  const begin = async (parts: Partial<NewSession> = {}): Promise<string> => {
    const text = await sessions.begin({
      user: 'alice',
      claims: { sub: 'alice' },
      login: 'sid-1',
      host: 'app.example.org',
      source: '203.0.113.7',
      userAgent: 'Mozilla/5.0',
      ends: clock.now() + 12 * HOUR,
      idle: HOUR,
      ...parts,
    })
    return text ?? assert.fail('its login was ended')
  }
  return { clock, records, sessions, begin }
}

describe('browser sessions', () => {
  it('are found by their cookie value, which is long, random, and not their id', async () => {
    const { sessions, begin } = made()
    const text = await begin()
    assert.match(text, /^[\w-]{43}$/)
    assert.notEqual(await begin(), text)
    const session = await sessions.find(text)
    assert.equal(session?.user, 'alice')
    assert.notEqual(session.id, text)
    assert.doesNotMatch(JSON.stringify(await sessions.list()), new RegExp(text))
  })

  for (const text of ['', 'short', 'x'.repeat(44), `${'x'.repeat(42)}/`, 'browser-session x']) {
    it(`hostile: are not found by ${JSON.stringify(text)}`, async () => {
      const { sessions } = made()
      assert.equal(await sessions.find(text), undefined)
    })
  }

  it('last while they are used, and end when they are idle', async () => {
    const { clock, sessions, begin } = made()
    const text = await begin()
    for (let use = 0; use < 5; use += 1) {
      clock.advance(50 * MINUTE)
      assert.ok(await sessions.find(text), `use ${use}`)
    }
    clock.advance(61 * MINUTE)
    assert.equal(await sessions.find(text), undefined)
  })

  it('end when they are idle, even where the store keeps the record for longer', async () => {
    const { clock, records, sessions, begin } = made()
    const text = await begin()
    const [key = ''] = await records.keysIn('browser-sessions')
    const record = await records.get(key)
    assert.ok(record !== undefined)
    await records.replace(key, record.text, { ...record, lifetime: 12 * HOUR })
    clock.advance(61 * MINUTE)
    assert.ok((await records.get(key)) !== undefined)
    assert.equal(await sessions.find(text), undefined)
  })

  it('end at their absolute end, however much they are used', async () => {
    const { clock, sessions, begin } = made()
    const text = await begin({ ends: clock.now() + 2 * HOUR })
    for (let use = 0; use < 4; use += 1) {
      clock.advance(29 * MINUTE)
      assert.ok(await sessions.find(text))
    }
    clock.advance(5 * MINUTE)
    assert.equal(await sessions.find(text), undefined)
  })

  it('can be ended by id, by user, and by login', async () => {
    const { sessions, begin } = made()
    const [one, two, other] = [
      await begin(),
      await begin({ login: 'sid-2' }),
      await begin({ user: 'bob', login: 'sid-3' }),
    ]
    const [{ id } = { id: '' }] = (await sessions.list('alice')).filter(
      ({ login }) => login === 'sid-1',
    )
    assert.equal(await sessions.end(id), true)
    assert.equal(await sessions.end(id), false)
    assert.equal(await sessions.find(one), undefined)
    assert.ok(await sessions.find(two))
    assert.equal(await sessions.endLogin('sid-2'), 1)
    assert.equal(await sessions.find(two), undefined)
    assert.equal(await sessions.endUser('bob'), 1)
    assert.equal(await sessions.find(other), undefined)
    assert.deepEqual(await sessions.list(), [])
  })

  it('do not reappear by a use at the moment in which they are ended', async () => {
    const { clock, sessions, begin } = made()
    const text = await begin()
    clock.advance(30 * MINUTE)
    await Promise.all([sessions.find(text), sessions.endUser('alice')])
    assert.equal(await sessions.find(text), undefined)
  })
})

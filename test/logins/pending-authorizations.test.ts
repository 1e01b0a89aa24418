// Logins under way at an upstream IdP: known again by their state, in every replica, until their time is over.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PendingAuthorizations } from '../../src/logins/pending-authorizations.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { FakeClock } from '../fakes/clock.ts'

const NOW = 1_700_000_000_000
const HALF_AN_HOUR = 1_800_000
const LOGIN = { uid: 'V1StGXR8_Z5jdHi6B-myT', provider: 'corp' }

const made = (secret = 7) => {
  const records = new MemoryRecords(new FakeClock())
  return {
    records,
    pendingAuthorizations: new PendingAuthorizations(
      new DerivedKeys(Buffer.alloc(32, secret)),
      records,
    ),
  }
}

describe('a login under way at an upstream IdP', () => {
  it('is known by its state, with its secrets, and nothing of it is stored', () => {
    const { records, pendingAuthorizations } = made()
    for (const login of [LOGIN, { ...LOGIN, since: NOW - 5 }]) {
      const left = pendingAuthorizations.begin(login, NOW)
      assert.deepEqual(pendingAuthorizations.read(left.state, NOW + 1), left)
      assert.deepEqual(made().pendingAuthorizations.read(left.state, NOW + 1), left)
      assert.match(left.verifier, /^[\w-]{43}$/, 'RFC 7636 §4.1')
      assert.equal(new Set([left.state, left.nonce, left.verifier]).size, 3)
      assert.ok(left.state.length <= 512)
    }
    assert.equal(records.size, 0)
  })

  it('says nothing in its state, and is each time another', () => {
    const { pendingAuthorizations } = made()
    const [one, other] = [
      pendingAuthorizations.begin(LOGIN, NOW),
      pendingAuthorizations.begin(LOGIN, NOW),
    ]
    assert.notEqual(one.state, other.state)
    assert.notEqual(one.nonce, other.nonce)
    assert.notEqual(one.verifier, other.verifier)
    assert.doesNotMatch(Buffer.from(one.state, 'base64url').toString('latin1'), /V1StGXR8|corp/)
  })

  it('is not known with another secret, after its time, or by a state that was changed', () => {
    const { pendingAuthorizations } = made()
    const { state } = pendingAuthorizations.begin(LOGIN, NOW)
    assert.equal(made(8).pendingAuthorizations.read(state, NOW), undefined)
    assert.notEqual(pendingAuthorizations.read(state, NOW + HALF_AN_HOUR - 1), undefined)
    assert.equal(pendingAuthorizations.read(state, NOW + HALF_AN_HOUR), undefined)
    for (const index of [0, 21, 22, 60, state.length - 1]) {
      const changed = `${state.slice(0, index)}${state[index] === 'A' ? 'B' : 'A'}${state.slice(index + 1)}`
      assert.equal(pendingAuthorizations.read(changed, NOW), undefined, `character ${index}`)
    }
    for (const text of ['', 'x'.repeat(43), 'x'.repeat(513)]) {
      assert.equal(pendingAuthorizations.read(text, NOW), undefined)
    }
  })

  it('is used once, by one of those who come together', async () => {
    const { pendingAuthorizations } = made()
    const left = pendingAuthorizations.begin(LOGIN, NOW)
    const uses = await Promise.all([1, 2, 3].map(async () => await pendingAuthorizations.use(left)))
    assert.equal(uses.filter((isFirst) => isFirst).length, 1)
    assert.equal(await pendingAuthorizations.use(left), false)
    assert.equal(await pendingAuthorizations.use(pendingAuthorizations.begin(LOGIN, NOW)), true)
  })
})

// Tokens of forms: each belongs to one login or session, and nobody makes one without the key.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { csrfToken, isCsrfToken, type FormOwner } from '../../src/pages/csrf.ts'

const KEY = Buffer.alloc(32, 1)
const OWNER: FormOwner = { kind: 'interaction', id: 'abc' }

describe('the token of a form', () => {
  const token = csrfToken(KEY, OWNER)

  it('is accepted where it belongs, in every replica with the key', () => {
    assert.match(token, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(csrfToken(Buffer.from(KEY), { ...OWNER }), token)
    assert.equal(isCsrfToken(KEY, OWNER, token), true)
  })

  it('is one that is known: HMAC-SHA256 of the label, the kind and the id', () => {
    assert.equal(token, '3-Vz6W24s4C1uucArPyCoPf9k3wOl9JuZRfTiYCP8WY')
  })

  const last = token.endsWith('A') ? 'B' : 'A'
  const HOSTILE: readonly { name: string; token: unknown; owner?: FormOwner; key?: Buffer }[] = [
    { name: 'of another login', token, owner: { kind: 'interaction', id: 'abd' } },
    { name: 'of a session of the same id', token, owner: { kind: 'session', id: 'abc' } },
    { name: 'with the border moved', token, owner: { kind: 'interaction', id: 'c' } },
    { name: 'of another key', token, key: Buffer.alloc(32, 2) },
    { name: 'none', token: undefined },
    { name: 'an empty one', token: '' },
    { name: 'a shorter one', token: token.slice(0, -1) },
    { name: 'a longer one', token: `${token}A` },
    { name: 'a changed one', token: token.slice(0, 42) + last },
    { name: 'two of them', token: [token, token] },
    { name: 'an object', token: { length: 43 } },
    { name: 'with another alphabet', token: `${token.slice(0, 42)}+` },
    { name: 'any other', token: randomBytes(32).toString('base64url') },
  ]
  for (const { name, token: given, owner = OWNER, key = KEY } of HOSTILE) {
    it(`hostile: ${name}`, () => assert.equal(isCsrfToken(key, owner, given), false))
  }

  it('needs a key that cannot be guessed, and something to belong to', () => {
    assert.throws(() => csrfToken(Buffer.alloc(31), OWNER), TypeError)
    assert.throws(() => isCsrfToken(Buffer.alloc(0), OWNER, token), TypeError)
    assert.throws(() => csrfToken(KEY, { kind: 'session', id: '' }), TypeError)
  })
})

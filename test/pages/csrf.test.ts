// CSRF tokens of forms: each belongs to one login or session, and cannot be made without the key.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { csrfToken, isCsrfToken, type FormOwner } from '../../src/pages/csrf.ts'

const KEY = Buffer.alloc(32, 1)
const OWNER: FormOwner = { kind: 'interaction', id: 'abc' }

describe('the CSRF token of a form', () => {
  const token = csrfToken(KEY, OWNER)

  it('is accepted for its login, in every replica with the key', () => {
    assert.match(token, /^[A-Za-z0-9_-]{43}$/)
    assert.equal(csrfToken(Buffer.from(KEY), { ...OWNER }), token)
    assert.equal(isCsrfToken(KEY, OWNER, token), true)
  })

  it('equals a known value: HMAC-SHA256 of the label, the kind and the id', () => {
    assert.equal(token, '3-Vz6W24s4C1uucArPyCoPf9k3wOl9JuZRfTiYCP8WY')
  })

  const last = token.endsWith('A') ? 'B' : 'A'
  const HOSTILE: readonly { name: string; token: unknown; owner?: FormOwner; key?: Buffer }[] = [
    {
      name: 'refuses the token of another login',
      token,
      owner: { kind: 'interaction', id: 'abd' },
    },
    {
      name: 'refuses the token of a session of the same id',
      token,
      owner: { kind: 'session', id: 'abc' },
    },
    {
      name: 'refuses the token of an owner whose label and id concatenate to the same bytes',
      token,
      owner: { kind: 'interaction', id: 'c' },
    },
    { name: 'refuses the token of another key', token, key: Buffer.alloc(32, 2) },
    { name: 'refuses a missing token', token: undefined },
    { name: 'refuses an empty token', token: '' },
    { name: 'refuses a token that is too short', token: token.slice(0, -1) },
    { name: 'refuses a token that is too long', token: `${token}A` },
    { name: 'refuses a token with one changed character', token: token.slice(0, 42) + last },
    { name: 'refuses two tokens', token: [token, token] },
    { name: 'refuses an object in place of a token', token: { length: 43 } },
    { name: 'refuses a token in another alphabet than base64url', token: `${token.slice(0, 42)}+` },
    { name: 'refuses a random token', token: randomBytes(32).toString('base64url') },
  ]
  for (const { name, token: sent, owner = OWNER, key = KEY } of HOSTILE) {
    it(`hostile: ${name}`, () => assert.equal(isCsrfToken(key, owner, sent), false))
  }

  it('needs a key of 32 bytes and the id of its owner', () => {
    assert.throws(() => csrfToken(Buffer.alloc(31), OWNER), TypeError)
    assert.throws(() => isCsrfToken(Buffer.alloc(0), OWNER, token), TypeError)
    assert.throws(() => csrfToken(KEY, { kind: 'session', id: '' }), TypeError)
  })
})

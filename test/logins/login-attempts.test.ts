// Logins under way: known again in the browser and on the host where they began, and nowhere else.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { ATTEMPT_SECONDS, LoginAttempts } from '../../src/logins/login-attempts.ts'
import { DerivedKeys } from '../../src/state/derived-keys.ts'

const HOST = 'app.example.org'
const NOW = 1_700_000_000_000

const attempts = new LoginAttempts(new DerivedKeys(Buffer.alloc(32, 7)))

describe('login attempts', () => {
  it('return their target, nonce and PKCE verifier', () => {
    const begun = attempts.begin(HOST, '/orders?x=%C3%BC', NOW)
    const back = attempts.open(HOST, begun.state, begun.cookie.value, NOW + 1_000)
    assert.equal(back?.target, '/orders?x=%C3%BC')
    assert.equal(back.nonce, begun.nonce)
    const challenge = createHash('sha256').update(back.verifier).digest('base64url')
    assert.equal(challenge, begun.challenge)
    assert.match(back.verifier, /^[\w-]{43,128}$/, 'RFC 7636 §4.1')
    assert.match(begun.cookie.name, /^__Host-countersign-begun-[\w-]{8}$/)
    assert.doesNotMatch(begun.cookie.value, new RegExp(back.verifier))
  })

  it('have their target in the state, sealed, and readable on their own host only', () => {
    const { state: text } = attempts.begin(HOST, '/orders', NOW, true)
    const known = { target: '/orders', until: NOW / 1_000 + ATTEMPT_SECONDS, again: true }
    assert.deepEqual(attempts.read(HOST, text), known)
    assert.equal(attempts.read('other.example.org', text), undefined)
    assert.doesNotMatch(Buffer.from(text.slice(22), 'base64url').toString('latin1'), /orders/)
    for (const index of [0, 21, 22, 40, text.length - 1]) {
      const other = text[index] === 'A' ? 'B' : 'A'
      const changed = `${text.slice(0, index)}${other}${text.slice(index + 1)}`
      // The last character has bits that mean nothing.
      if (Buffer.from(changed, 'base64url').equals(Buffer.from(text, 'base64url'))) continue
      assert.equal(attempts.read(HOST, changed), undefined, `character ${index}`)
    }
    for (const length of [0, 22, 23, 40])
      assert.equal(attempts.read(HOST, text.slice(0, length)), undefined)
  })

  it('have a state of at most 2,048 characters', () => {
    const target = `/${'"'.repeat(1_399)}`
    const { state: text } = attempts.begin(HOST, target, NOW)
    assert.ok(text.length <= 2_048)
    assert.equal(attempts.read(HOST, text)?.target, target)
  })

  it('differ in state, nonce and challenge, and open with their own cookie only', () => {
    const [one, two] = [attempts.begin(HOST, '/', NOW), attempts.begin(HOST, '/', NOW)]
    assert.notEqual(one.state, two.state)
    assert.notEqual(one.nonce, two.nonce)
    assert.notEqual(one.challenge, two.challenge)
    assert.equal(attempts.open(HOST, two.state, one.cookie.value, NOW), undefined)
  })

  const { state, cookie } = attempts.begin(HOST, '/a', NOW)
  const [until = '', mac = ''] = cookie.value.split('.')
  for (const { name, host = HOST, as = state, value = cookie.value, now = NOW } of [
    { name: 'with another host', host: 'other.example.org' },
    { name: 'without a state', as: '' },
    { name: 'with a malformed state', as: '../../etc/passwd' },
    { name: 'with a changed time in the cookie', value: `${Number(until) + 60}.${mac}` },
    { name: 'without a MAC in the cookie', value: until },
    { name: 'with a truncated MAC in the cookie', value: `${until}.${mac.slice(1)}` },
    { name: 'without a cookie', value: '' },
    { name: 'after their end', now: NOW + (ATTEMPT_SECONDS + 1) * 1_000 },
  ]) {
    it(`hostile: are refused ${name}`, () => {
      assert.equal(attempts.open(host, as, value, now), undefined)
    })
  }

  it('of another key are refused', () => {
    const other = new LoginAttempts(new DerivedKeys(Buffer.alloc(32, 8)))
    assert.equal(other.open(HOST, state, cookie.value, NOW), undefined)
  })

  for (const target of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    '',
    'orders',
    '/a b',
    '/a\r\nset-cookie: x=y',
    '/ü',
    `/${'x'.repeat(2_000)}`,
  ]) {
    it(`hostile: with the target ${JSON.stringify(target.slice(0, 40))} lead to the root`, () => {
      const begun = attempts.begin(HOST, target, NOW)
      assert.equal(attempts.open(HOST, begun.state, begun.cookie.value, NOW)?.target, '/')
    })
  }
})

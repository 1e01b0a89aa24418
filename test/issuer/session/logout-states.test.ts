// The state of a logout: it holds for the browser and the session that it was made for.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LogoutStates } from '../../../src/issuer/session/logout-states.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'

const HOST = 'app.example.org'
const NOW = 1_700_000_000_000
const COOKIES = ['the-session']

const returns = new LogoutStates(new DerivedKeys(Buffer.alloc(32, 7)))
const state = returns.begin(HOST, COOKIES, NOW)
const [until = '', mac = ''] = state.split('.')

describe('the state of a logout request', () => {
  it('is valid on its host and with its session, for half an hour', () => {
    assert.equal(returns.holds(HOST, COOKIES, state, NOW), true)
    assert.equal(returns.holds(HOST, COOKIES, state, NOW + 1_799_000), true)
  })

  for (const { name, host = HOST, cookies = COOKIES, said = state, now = NOW } of [
    { name: 'on another host', host: 'other.example.org' },
    { name: 'with another session', cookies: ['another'] },
    { name: 'without a session', cookies: [] },
    { name: 'with a second session in addition', cookies: ['the-session', 'x'] },
    { name: 'after half an hour', now: NOW + 1_800_000 },
    { name: 'with a changed time', said: `${Number(until) + 1}.${mac}` },
    { name: 'with a time that is not a number', said: `NaN.${mac}` },
    { name: 'without a MAC', said: until },
    { name: 'where it is empty', said: '' },
  ]) {
    it(`is refused ${name}`, () => {
      assert.equal(returns.holds(host, cookies, said, now), false)
    })
  }
})

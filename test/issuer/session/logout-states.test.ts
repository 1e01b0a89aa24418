// The state of a logout: it holds for the browser and the session that it was made for.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LogoutStates } from '../../../src/issuer/session/logout-states.ts'
import { OpaqueKeys } from '../../../src/state/opaque-keys.ts'

const HOST = 'app.example.org'
const NOW = 1_700_000_000_000
const COOKIES = ['the-session']

const returns = new LogoutStates(new OpaqueKeys(Buffer.alloc(32, 7)))
const state = returns.begin(HOST, COOKIES, NOW)
const [until = '', mac = ''] = state.split('.')

describe('the state of a logout', () => {
  it('holds on the host and with the session that it was made for, for half an hour', () => {
    assert.equal(returns.holds(HOST, COOKIES, state, NOW), true)
    assert.equal(returns.holds(HOST, COOKIES, state, NOW + 1_799_000), true)
  })

  for (const { name, host = HOST, cookies = COOKIES, said = state, now = NOW } of [
    { name: 'another host', host: 'other.example.org' },
    { name: 'another session', cookies: ['another'] },
    { name: 'no session', cookies: [] },
    { name: 'a second session beside it', cookies: ['the-session', 'x'] },
    { name: 'half an hour later', now: NOW + 1_800_000 },
    { name: 'a later time', said: `${Number(until) + 1}.${mac}` },
    { name: 'a time that is no number', said: `NaN.${mac}` },
    { name: 'no MAC', said: until },
    { name: 'nothing', said: '' },
  ]) {
    it(`does not hold for ${name}`, () => {
      assert.equal(returns.holds(host, cookies, said, now), false)
    })
  }
})

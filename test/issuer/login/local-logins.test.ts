// How long logins that were proven here are good, and when they are checked again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loginSchema } from '../../../src/logins/schema.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { LocalLogins } from '../../../src/issuer/login/local-logins.ts'
import { TokenTemplate } from '../../../src/transform/token/token-template.ts'
import { FakeClock } from '../../fakes/clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const identity = (further: Partial<Identity> = {}): Identity => ({
  method: 'basic',
  authenticator: 'staff',
  credential: 'c',
  user: 'alice',
  groups: [],
  extra: {},
  ...further,
})

const clock = new FakeClock()

const loginsWith = (settings: object = {}): LocalLogins => {
  const config = loginSchema.parse({ authenticators: ['staff'], ...settings })
  const { subject, groups, claims, algorithm: _algorithm } = config
  const rules = {
    kind: 'id_token',
    audience: ['a'],
    subject,
    groups,
    claims,
    clientId: '',
  } as const
  const template = new TokenTemplate(rules, 'https://id.example.org', [])
  return new LocalLogins({
    login: { config, ways: [], wait: 14_000, providers: [], template },
    clock,
  })
}

describe('a login that was proven here', () => {
  it('is checked again every 5 minutes by default, with a third of the time left', () => {
    const held = loginsWith().holdingOf(identity({ account: '{"kind":"x"}' }), '')
    const now = clock.now()
    assert.deepEqual(held.renewal, { from: now + 200_000, by: now + 5 * MINUTE })
    assert.equal(held.ends, now + 24 * HOUR)
  })

  it('ends after 8 hours by default where its account cannot be looked up again', () => {
    const { renewal, proven, ends } = loginsWith().holdingOf(identity(), '')
    assert.deepEqual([renewal, proven, ends], [undefined, undefined, clock.now() + 8 * HOUR])
  })

  it('ends no later than any other login where that is shorter', () => {
    const { ends } = loginsWith({ longest: '2h' }).holdingOf(identity(), '')
    assert.equal(ends, clock.now() + 2 * HOUR)
  })

  it('ends after longestUnchecked where its account cannot be looked up again', () => {
    const { ends } = loginsWith({ longestUnchecked: '30m' }).holdingOf(identity(), '')
    assert.equal(ends, clock.now() + 30 * MINUTE)
  })

  it('by certificate keeps the certificate, and nothing of a certificate by password', () => {
    const logins = loginsWith({ recheck: '30s' })
    const shown = logins.holdingOf(identity({ method: 'certificate' }), 'PEM')
    assert.deepEqual(shown.proven, { certificate: 'PEM' })
    assert.equal(shown.renewal?.by, clock.now() + 30_000)
    assert.equal(logins.holdingOf(identity(), 'PEM').proven, undefined)
  })

  for (const recheck of ['999ms', '25h']) {
    it(`cannot be checked again every ${recheck}`, () => {
      assert.equal(loginSchema.safeParse({ authenticators: ['a'], recheck }).success, false)
    })
  }
})

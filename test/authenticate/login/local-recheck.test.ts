// How long logins that were proven here are good, and when they are checked again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loginSchema } from '../../../src/logins/schema.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { LocalRecheck } from '../../../src/authenticate/login/local-recheck.ts'
import { FakeClock } from '../../fakes/clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const identity = (further: Partial<Identity> = {}): Identity => ({
  method: 'basic',
  authenticator: 'staff',
  digest: 'c',
  user: 'alice',
  groups: [],
  extra: {},
  ...further,
})

const clock = new FakeClock()

const loginsWith = (settings: object = {}): LocalRecheck => {
  const config = loginSchema.parse({ authenticators: ['staff'], ...settings })
  return new LocalRecheck({
    config,
    methods: [],
    clock,
  })
}

describe('a login that was proven here', () => {
  it('is checked again every 5 minutes by default, with a third of the time left', () => {
    const proven = loginsWith().loginOf(identity({ account: '{"kind":"x"}' }), '')
    const now = clock.now()
    assert.deepEqual(proven.renewal, { from: now + 200_000, by: now + 5 * MINUTE })
    assert.equal(proven.ends, now + 24 * HOUR)
  })

  it('ends after 8 hours by default where its account cannot be looked up again', () => {
    const { renewal, proven, ends } = loginsWith().loginOf(identity(), '')
    assert.deepEqual([renewal, proven, ends], [undefined, undefined, clock.now() + 8 * HOUR])
  })

  it('ends no later than any other login where that is shorter', () => {
    const { ends } = loginsWith({ maxLifetime: '2h' }).loginOf(identity(), '')
    assert.equal(ends, clock.now() + 2 * HOUR)
  })

  it('ends after maxLifetimeWithoutRecheck where its account cannot be looked up again', () => {
    const { ends } = loginsWith({ maxLifetimeWithoutRecheck: '30m' }).loginOf(identity(), '')
    assert.equal(ends, clock.now() + 30 * MINUTE)
  })

  it('by certificate keeps the certificate, and nothing of a certificate by password', () => {
    const logins = loginsWith({ recheck: '30s' })
    const presented = logins.loginOf(identity({ method: 'certificate' }), 'PEM')
    assert.deepEqual(presented.proven, { certificate: 'PEM' })
    assert.equal(presented.renewal?.by, clock.now() + 30_000)
    assert.equal(logins.loginOf(identity(), 'PEM').proven, undefined)
  })

  for (const recheck of ['999ms', '25h']) {
    it(`cannot be checked again every ${recheck}`, () => {
      assert.equal(loginSchema.safeParse({ authenticators: ['a'], recheck }).success, false)
    })
  }
})

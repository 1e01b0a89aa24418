// HTTP Basic with brute-force protection: the answers to callers, and the cache of verified passwords meanwhile.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../../src/authenticate/authenticator.ts'
import { basicAuthenticator } from '../../../src/authenticate/password/authenticator.ts'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import { basic, requestOf } from '../../fakes/envoy.ts'
import { ELSEWHERE, GuardedSite, HOME, MINUTE, SECOND } from './guarding.ts'

const FOREVER = new AbortController().signal

const setUp = (remember = 10 * MINUTE) => {
  const site = new GuardedSite()
  const authenticator = basicAuthenticator({
    name: 'staff',
    realm: 'Test',
    verifiers: [site.verifier],
    cacheTtl: remember,
    generation: 'g1',
    cache: new CredentialCache(site.clock),
    guard: site.guard,
    distinguishesUnknownUsers: true,
    clock: site.clock,
  })
  const ask = async (user: string, password: string, source = HOME): Promise<Authentication> =>
    await authenticator.authenticate(
      requestOf({ headers: [['authorization', basic(user, password)]], sourceAddress: source }),
      FOREVER,
    )
  const code = async (user: string, password: string, source = HOME): Promise<string> => {
    const result = await ask(user, password, source)
    return result.outcome === 'rejected' ? result.code : result.outcome
  }
  const fail = async (user: string, times: number, source = HOME): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      await ask(user, site.guess(), source)
    }
  }
  return { site, ask, code, fail }
}

describe('a client that guesses passwords with Basic', () => {
  it('receives too-many-attempts with Retry-After, and audit has the hash of a name that was not verified', async () => {
    const { ask, fail } = setUp()
    for (const user of ['alice', 'nobody']) {
      await fail(user, 5)
      const { userHash, ...rejection } = { userHash: '', ...(await ask(user, 'right')) }
      assert.match(userHash, /^[\w-]{16}$/)
      assert.deepEqual(rejection, {
        outcome: 'rejected',
        code: 'too-many-attempts',
        retryAfter: 1,
      })
    }
  })

  it('spends no attempt on a malformed header, which is not sent to the verifier', async () => {
    const { ask, code, site } = setUp()
    for (let count = 0; count < 20; count += 1) {
      await ask('alice', '')
    }
    assert.equal(site.attempts, 0)
    assert.equal(await code('alice', 'right'), 'authenticated')
  })

  it('cannot distinguish a password that needs a second factor from a wrong one', async () => {
    const { ask, code, site } = setUp()
    const question = { message: 'Code?', state: Buffer.of(1) }
    site.verifier.challenges.set('alice', { outcome: 'challenged', challenge: question })
    for (let count = 0; count < 20; count += 1) {
      assert.equal(await code('alice', 'right'), 'second-factor-required')
      assert.equal(await code('bob', 'wrong'), 'credential-wrong')
    }
    assert.equal(site.attempts, 2)
    for (const user of ['alice', 'bob']) {
      for (const want of ['rejected', 'rejected', 'rejected', 'rejected']) {
        assert.equal((await ask(user, site.guess())).outcome, want)
      }
      assert.equal(await code(user, site.guess()), 'too-many-attempts')
    }
  })

  it('shares one attempt with every concurrent request with the same password', async () => {
    const { code, site } = setUp()
    const gate = Promise.withResolvers<void>()
    site.verifier.ready = gate.promise
    const attempts = Array.from({ length: 50 }, () => code('alice', 'right'))
    gate.resolve()
    assert.deepEqual(new Set(await Promise.all(attempts)), new Set(['authenticated']))
    assert.equal(site.attempts, 1)
  })

  it('is named to the verifier by its address', async () => {
    const { ask, site } = setUp()
    await ask('alice', 'right', '2001:db8::7')
    assert.deepEqual(site.verifier.attempts, [{ user: 'alice', source: '2001:db8::7' }])
  })
})

describe('a cached password', () => {
  it('is accepted while other addresses guess at the same user', async () => {
    const { code, fail } = setUp()
    await code('alice', 'right')
    await fail('alice', 200, ELSEWHERE)
    assert.equal(await code('alice', 'right'), 'authenticated')
  })

  it('is accepted while the same address guesses at other users', async () => {
    const { code, fail, site } = setUp()
    await code('alice', 'right')
    for (let index = 0; index < 100; index += 1) {
      await fail(`user${index}`, 1)
    }
    const { attempts } = site
    assert.equal(await code('alice', 'right'), 'authenticated')
    assert.equal(site.attempts, attempts)
  })

  it('is not accepted from another address that has to wait, which could find it by guessing', async () => {
    const { code, fail, site } = setUp()
    await code('alice', 'right')
    await fail('alice', 100, ELSEWHERE)
    assert.equal(await code('alice', 'right', ELSEWHERE), 'too-many-attempts')
    assert.equal(site.attempts, 6)
  })

  it('is not accepted from its own address while the user has to wait there', async () => {
    const { code, fail, site } = setUp()
    await code('alice', 'right')
    await fail('alice', 100)
    assert.equal(await code('alice', 'right'), 'too-many-attempts')
    site.clock.advance(SECOND)
    assert.equal(await code('alice', 'right'), 'authenticated')
    assert.equal(site.attempts, 6)
  })

  it('is verified anew for each address, and has one fingerprint', async () => {
    const { ask, site } = setUp()
    const answers = [await ask('alice', 'right'), await ask('alice', 'right', ELSEWHERE)]
    assert.equal(site.attempts, 2)
    const credentials = answers.map((answer) =>
      answer.outcome === 'authenticated' ? answer.credential.digest : answer.outcome,
    )
    assert.equal(credentials[0], credentials[1])
    assert.match(credentials[0] ?? '', /^[\w-]{16}$/)
  })
})

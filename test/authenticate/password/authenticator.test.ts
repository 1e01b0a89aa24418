// HTTP Basic: its outcomes, the order of its verifiers, and what concurrent requests share.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, it } from 'node:test'
import type { Authentication, Authenticator } from '../../../src/authenticate/authenticator.ts'
import {
  basicAuthenticator,
  type BasicOptions,
} from '../../../src/authenticate/password/authenticator.ts'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import { unguarded } from '../../../src/authenticate/password/guard.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { basic, requestOf, type HeaderLines } from '../../fakes/envoy.ts'
import { brokenVerifier, FakeVerifier } from '../../fakes/password-verifier.ts'
import { codeOf } from '../../fakes/authenticator.ts'

const MINUTE = 60_000
const FOREVER = new AbortController().signal

const USERS = {
  alice: { password: 'secret', groups: ['dev', 'ops'] },
  eve: { password: 'secret', disabled: true },
  jürgen: { password: 'é' },
}

const authenticatorFor = (options: Partial<BasicOptions> = {}): Authenticator =>
  basicAuthenticator({
    name: 'staff',
    realm: 'Kubernetes',
    verifiers: [new FakeVerifier(USERS)],
    cacheTtl: MINUTE,
    generation: 'g1',
    cache: new CredentialCache(new FakeClock()),
    guard: unguarded,
    distinguishesUnknownUsers: true,
    clock: new FakeClock(),
    ...options,
  })

const ask = async (
  authenticator: Authenticator,
  authorization?: string,
  signal = FOREVER,
): Promise<Authentication> => {
  const headers: HeaderLines = authorization === undefined ? [] : [['authorization', authorization]]
  return await authenticator.authenticate(requestOf({ headers }), signal)
}

describe('the outcome of Basic', () => {
  const CASES = [
    { name: 'no header', input: undefined, want: 'not-applicable' },
    { name: 'another scheme', input: 'Bearer x', want: 'not-applicable' },
    { name: 'the right password', input: basic('alice', 'secret'), want: 'authenticated' },
    { name: 'a decomposed name', input: basic('ju\u0308rgen', 'e\u0301'), want: 'authenticated' },
    { name: 'a wrong password', input: basic('alice', 'secret2'), want: 'credential-wrong' },
    {
      name: 'a password in another case',
      input: basic('alice', 'SECRET'),
      want: 'credential-wrong',
    },
    { name: 'an unknown user', input: basic('mallory', 'secret'), want: 'user-unknown' },
    { name: 'a disabled user', input: basic('eve', 'secret'), want: 'user-disabled' },
    { name: 'a disabled user, wrong password', input: basic('eve', 'x'), want: 'credential-wrong' },
    { name: 'an empty password', input: basic('alice', ''), want: 'credential-malformed' },
    {
      name: 'two headers that Envoy joined',
      input: `${basic('alice', 'secret')},${basic('eve', 'secret')}`,
      want: 'credential-malformed',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`answers ${want} to ${name}`, async () =>
      assert.equal(codeOf(await ask(authenticatorFor(), input)), want))
  }

  it('is unavailable with the cause when the directory is down', async () => {
    const verifier = new FakeVerifier(USERS)
    verifier.down = new Error('no route to host')
    const result = await ask(authenticatorFor({ verifiers: [verifier] }), basic('alice', 'secret'))
    assert.deepEqual(result, { outcome: 'unavailable', cause: verifier.down })
  })

  it('has the credential with method, time and fingerprint', async () => {
    const result = await ask(authenticatorFor(), basic('alice', 'secret'))
    assert.equal(result.outcome, 'authenticated')
    const { digest, account, ...credential } = result.credential
    assert.deepEqual(credential, {
      user: 'alice',
      groups: ['dev', 'ops'],
      extra: {},
      method: 'basic',
      authenticatedAt: new FakeClock().now(),
    })
    assert.match(digest, /^[\w-]{16}$/)
    assert.match(account ?? '', /^\["alice",/)
  })

  it('names the user of a rejection, for audit', async () => {
    const result = await ask(authenticatorFor(), basic('alice', 'x'))
    const { userHash, ...rejection } = { userHash: '', ...result }
    assert.match(userHash, /^[\w-]{16}$/)
    assert.deepEqual(rejection, { outcome: 'rejected', code: 'credential-wrong', user: 'alice' })
  })

  it('is audited with a keyed hash of an unknown name, which may be a password', async () => {
    const authenticator = authenticatorFor()
    const unknown = await ask(authenticator, basic('hunter2', 'x'))
    const again = await ask(authenticator, basic('hunter2', 'y'))
    assert.deepEqual(again, unknown)
    assert.ok(!JSON.stringify(unknown).includes('hunter2'))
    const other = await ask(authenticator, basic('hunter3', 'x'))
    assert.notDeepEqual(other, unknown)
  })

  it('has no user name in clear when the verifier cannot distinguish a wrong password from an unknown user', async () => {
    const result = await ask(
      authenticatorFor({ distinguishesUnknownUsers: false }),
      basic('alice', 'x'),
    )
    assert.equal(codeOf(result), 'credential-wrong')
    assert.ok(!JSON.stringify(result).includes('alice'))
  })
})

describe('the challenge of Basic', () => {
  it('names realm and charset', () => {
    assert.deepEqual(authenticatorFor().challenges, ['Basic realm="Kubernetes", charset="UTF-8"'])
  })
})

const inOrder = (...verifiers: FakeVerifier[]): Authenticator => authenticatorFor({ verifiers })

const groupsOf = async (authenticator: Authenticator, header: string): Promise<unknown> => {
  const result = await ask(authenticator, header)
  return result.outcome === 'authenticated' ? result.credential.groups : codeOf(result)
}

describe('the verifiers of Basic', () => {
  const local = { alice: { password: 'local', groups: ['local'] } }
  const remote = {
    alice: { password: 'remote', groups: ['remote'] },
    bob: { password: 'remote', groups: ['remote'] },
  }
  it('are called in order until one knows the user', async () => {
    const authenticator = inOrder(new FakeVerifier(local), new FakeVerifier(remote))
    assert.deepEqual(await groupsOf(authenticator, basic('alice', 'local')), ['local'])
    assert.deepEqual(await groupsOf(authenticator, basic('bob', 'remote')), ['remote'])
    assert.deepEqual(await groupsOf(authenticator, basic('carol', 'remote')), 'user-unknown')
  })

  it('are not called once one knows the user, even if a later one would accept the password', async () => {
    const authenticator = inOrder(new FakeVerifier(local), new FakeVerifier(remote))
    assert.equal(await groupsOf(authenticator, basic('alice', 'remote')), 'credential-wrong')
  })

  it('are not called once one says that the user is disabled', async () => {
    const first = new FakeVerifier({ alice: { password: 'remote', disabled: true } })
    const authenticator = inOrder(first, new FakeVerifier(remote))
    assert.equal(await groupsOf(authenticator, basic('alice', 'remote')), 'user-disabled')
  })

  it('are not called once one is unavailable, since it might have refused', async () => {
    const first = new FakeVerifier(local)
    first.down = new Error('down')
    const authenticator = inOrder(first, new FakeVerifier(remote))
    assert.equal(await groupsOf(authenticator, basic('bob', 'remote')), 'unavailable')
  })
})

describe('a password that Basic has cached', () => {
  it('is accepted during an outage of the directory, for its lifetime', async () => {
    const clock = new FakeClock()
    const verifier = new FakeVerifier(USERS)
    const cache = new CredentialCache(clock)
    const authenticator = authenticatorFor({ verifiers: [verifier], cache })
    await ask(authenticator, basic('alice', 'secret'))
    verifier.down = new Error('down')
    assert.equal(codeOf(await ask(authenticator, basic('alice', 'secret'))), 'authenticated')
    assert.equal(codeOf(await ask(authenticator, basic('alice', 'wrong'))), 'unavailable')
    clock.advance(MINUTE)
    assert.equal(codeOf(await ask(authenticator, basic('alice', 'secret'))), 'unavailable')
  })

  it('is not used under another generation', async () => {
    const cache = new CredentialCache(new FakeClock())
    await ask(authenticatorFor({ cache }), basic('alice', 'secret'))
    const verifiers = [new FakeVerifier({ alice: { password: 'changed' } })]
    const next = authenticatorFor({ cache, verifiers, generation: 'g2' })
    assert.equal(codeOf(await ask(next, basic('alice', 'secret'))), 'credential-wrong')
  })

  it('has a fingerprint that only an equal credential shares', async () => {
    const cache = new CredentialCache(new FakeClock())
    const authenticator = authenticatorFor({ cache, cacheTtl: 0 })
    const fingerprint = async (header: string): Promise<string> => {
      const result = await ask(authenticator, header)
      return result.outcome === 'authenticated' ? result.credential.digest : ''
    }
    const first = await fingerprint(basic('alice', 'secret'))
    assert.equal(await fingerprint(basic('alice', 'secret')), first)
    assert.notEqual(await fingerprint(basic('jürgen', 'é')), first)
  })
})

const setUp = () => {
  const verifier = new FakeVerifier(USERS)
  const gate = Promise.withResolvers<void>()
  verifier.ready = gate.promise
  return { authenticator: authenticatorFor({ verifiers: [verifier] }), open: gate.resolve }
}

describe('a cancelled Basic request', () => {
  it('does not end the verification for another request with the same credential', async () => {
    const { authenticator, open } = setUp()
    const leaving = new AbortController()
    const first = ask(authenticator, basic('alice', 'secret'), leaving.signal)
    const second = ask(authenticator, basic('alice', 'secret'))
    leaving.abort()
    await assert.rejects(first, { name: 'AbortError' })
    open()
    assert.equal(codeOf(await second), 'authenticated')
  })

  it('does not wait for the verifier', async () => {
    const { authenticator } = setUp()
    const leaving = new AbortController()
    const attempts = ask(authenticator, basic('alice', 'secret'), leaving.signal)
    leaving.abort(new Error('gone'))
    await assert.rejects(attempts, /gone/)
  })

  it('is rejected with its reason when it was cancelled before the verification', async () => {
    const attempts = ask(authenticatorFor(), basic('alice', 'secret'), AbortSignal.abort())
    await assert.rejects(attempts, { name: 'AbortError' })
  })

  it('leaves no unhandled rejection when the verifier throws', async () => {
    const verifiers = [brokenVerifier('bug')]
    const header = basic('alice', 'secret')
    // The runner fails a test on an unhandled rejection.
    await assert.rejects(ask(authenticatorFor({ verifiers }), header, AbortSignal.abort()))
    const leaving = new AbortController()
    const attempts = ask(authenticatorFor({ verifiers }), header, leaving.signal)
    leaving.abort()
    await assert.rejects(attempts)
    await turn()
  })
})

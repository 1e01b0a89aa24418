// The cache of verified certificates: what is cached, and for how long.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CertificateOptions } from '../../../src/authenticate/certificate/authenticator.ts'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { certificateWith, FakeRevocation, show, trustOf } from '../../pki/asking.ts'
import { DAY, makeAuthority, makeClient, NOW } from '../../pki/making.ts'
import { codeOf } from '../../fakes/authenticator.ts'

const root = makeAuthority({ subject: 'root' })
const alice = makeClient({ signer: root })

/** An authenticator whose verifications are counted by its queries about revocation. */
const counted = (options: Partial<CertificateOptions> = {}, trust = trustOf([root])) => {
  const clock = new FakeClock()
  const revocation = new FakeRevocation()
  const cache = new CredentialCache(clock)
  const authenticator = certificateWith(trust, { clock, revocation, cache, ...options })
  const ask = async (certificate = alice): Promise<string> =>
    codeOf(await show(authenticator, certificate))
  return { clock, revocation, cache, authenticator, ask, proofs: () => revocation.requests.length }
}

describe('a verified certificate', () => {
  it('is cached for the configured time', async () => {
    const { clock, ask, proofs } = counted()
    await ask()
    clock.advance(299_999)
    assert.equal(await ask(), 'authenticated')
    assert.equal(proofs(), 1)
    clock.advance(1)
    assert.equal(await ask(), 'authenticated')
    assert.equal(proofs(), 2)
  })

  it('is not cached when the cache is disabled', async () => {
    const { ask, proofs } = counted({ cacheTtl: 0 })
    await ask()
    await ask()
    assert.equal(proofs(), 2)
  })

  it('is cached no longer than it is valid', async () => {
    const { clock, ask } = counted({ cacheTtl: 10 * DAY * 1_000 })
    const short = makeClient({ signer: root, notAfter: NOW + 60 })
    assert.equal(await ask(short), 'authenticated')
    clock.advance(59_999)
    assert.equal(await ask(short), 'authenticated')
    clock.advance(1)
    assert.equal(await ask(short), 'certificate-expired')
  })

  it('is cached no longer than a CA of its path is valid', async () => {
    const between = makeAuthority({ subject: 'between', signer: root, notAfter: NOW + 60 })
    const { clock, ask } = counted({}, trustOf([root], [between]))
    const certificate = makeClient({ signer: between })
    assert.equal(await ask(certificate), 'authenticated')
    clock.advance(60_000)
    assert.equal(await ask(certificate), 'certificate-expired')
  })

  it('is cached no longer than its revocation status is valid', async () => {
    const { clock, revocation, ask, proofs } = counted()
    revocation.status = { outcome: 'good', until: NOW * 1_000 + 20_000 }
    assert.equal(await ask(), 'authenticated')
    revocation.status = { outcome: 'revoked' }
    clock.advance(19_999)
    assert.equal(await ask(), 'authenticated')
    assert.equal(proofs(), 1)
    clock.advance(1)
    assert.equal(await ask(), 'certificate-revoked')
  })

  it('is not cached when its revocation status has already expired', async () => {
    const { revocation, ask, proofs } = counted()
    revocation.status = { outcome: 'good', until: NOW * 1_000 - 1 }
    await ask()
    await ask()
    assert.equal(proofs(), 2)
  })

  it('expires at its own notAfter, whatever the validity of its revocation status', async () => {
    const { revocation, authenticator } = counted()
    revocation.status = { outcome: 'good', until: NOW * 1_000 + 20_000 }
    const result = await show(authenticator, alice)
    assert.equal(
      result.outcome === 'authenticated' && result.credential.expires,
      (NOW + 30 * DAY) * 1_000,
    )
  })

  it('is verified once for all requests that present it at the same time', async () => {
    const { revocation, ask, proofs } = counted()
    const { promise, resolve } = Promise.withResolvers<void>()
    revocation.gate = promise
    const pending = [ask(), ask(), ask()]
    resolve()
    assert.deepEqual(await Promise.all(pending), Array(3).fill('authenticated'))
    assert.equal(proofs(), 1)
  })

  it('is verified for the remaining requests when one of them is cancelled', async () => {
    const { revocation, authenticator, ask, proofs } = counted()
    const { promise, resolve } = Promise.withResolvers<void>()
    revocation.gate = promise
    const leaving = new AbortController()
    const left = show(authenticator, alice, {}, leaving.signal)
    const stayed = ask()
    leaving.abort(new Error('gone'))
    await assert.rejects(left, /gone/)
    resolve()
    assert.equal(await stayed, 'authenticated')
    assert.equal(proofs(), 1)
  })

  const CHANGES: readonly {
    readonly name: string
    readonly options?: Partial<CertificateOptions>
    readonly trust?: ReturnType<typeof trustOf>
  }[] = [
    { name: 'other anchors', trust: trustOf([makeAuthority({ subject: 'x' }), root]) },
    { name: 'other intermediates', trust: trustOf([root], [makeAuthority({ subject: 'x' })]) },
    { name: 'other purposes', options: { purposes: [] } },
    { name: 'another name', options: { name: 'partners' } },
    { name: 'another time', options: { cacheTtl: 1_000 } },
  ]
  for (const { name, options = {}, trust = trustOf([root]) } of CHANGES) {
    it(`is verified again under ${name}`, async () => {
      const { revocation, cache, clock, ask, proofs } = counted()
      await ask()
      await show(certificateWith(trust, { cache, clock, revocation, ...options }), alice)
      assert.equal(proofs(), 2)
    })
  }

  it('is found in the cache by the next authenticator of the same configuration', async () => {
    const { revocation, cache, clock, ask, proofs } = counted()
    await ask()
    await show(certificateWith(trustOf([root, root]), { cache, clock, revocation }), alice)
    assert.equal(proofs(), 1)
  })

  it('is verified again after a change of the revocation sources', async () => {
    const { revocation, ask, proofs } = counted()
    await ask()
    revocation.generation = 'second'
    await ask()
    assert.equal(proofs(), 2)
  })
})

describe('a certificate that is not accepted', () => {
  it('is checked again at once when its revocation status was unavailable', async () => {
    const { revocation, ask } = counted()
    revocation.status = { outcome: 'unavailable', cause: 'down' }
    assert.equal(await ask(), 'unavailable')
    revocation.status = { outcome: 'good' }
    assert.equal(await ask(), 'authenticated')
  })

  it('is rejected from the cache for some seconds', async () => {
    const { revocation, clock, ask, proofs } = counted()
    revocation.status = { outcome: 'revoked' }
    await ask()
    assert.equal(await ask(), 'certificate-revoked')
    assert.equal(proofs(), 1)
    clock.advance(5_000)
    await ask()
    assert.equal(proofs(), 2)
  })
})

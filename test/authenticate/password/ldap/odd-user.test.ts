// A directory that never answers for one user, or answers nonsense: other users can log in all the same.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { VerificationContext } from '../../../../src/authenticate/password/verifier.ts'
import {
  ldapResponse,
  startLdapServer,
  type LdapAnswer,
  type LdapRequest,
} from '../../../fakes/ldap-server.ts'
import { FOREVER } from './settings.ts'
import { ALICE, found, settingsFor } from './scripted.ts'

const from = (source: string): VerificationContext => ({ source, signal: FOREVER })

/** A server that answers correctly for every user except "odd". */
const oddlyAbout =
  (odd: (request: LdapRequest) => LdapAnswer) =>
  (request: LdapRequest): LdapAnswer => {
    if (request.kind === 'search') {
      return request.message.includes('odd') ? odd(request) : found(request)
    }
    return request.kind === 'bind' ? ldapResponse(request, 0) : undefined
  }

describe('a directory that, for one user,', () => {
  const ODD: readonly { readonly name: string; readonly answer: LdapAnswer }[] = [
    { name: 'never answers', answer: undefined },
    { name: 'answers nonsense', answer: Buffer.from('nonsense') },
  ]
  for (const { name, answer } of ODD) {
    it(`${name} does not prevent other users from logging in`, async () => {
      await using server = await startLdapServer(oddlyAbout(() => answer))
      const settings = settingsFor([server])
      const limits = { operationTimeout: 100, coolDown: 60_000 }
      using verifier = new LdapVerifier({ ...settings, ...limits })
      for (let time = 0; time < 5; time += 1) {
        const odd = await verifier.verify('odd', 'x', from('198.51.100.1'))
        assert.equal(odd.outcome, 'unavailable')
      }
      const alice = await verifier.verify('alice', ALICE.password, from('203.0.113.7'))
      assert.equal(alice.outcome, 'verified')
    })
  }

  it('never answers leaves connections to other users, when one address sends all the logins', async () => {
    await using server = await startLdapServer(oddlyAbout(() => undefined))
    const settings = settingsFor([server])
    const limits = { operationTimeout: 300, concurrency: 2, maxPending: 20 }
    using verifier = new LdapVerifier({ ...settings, ...limits })
    const flood = Array.from({ length: 50 }, (_, index) =>
      verifier.verify(`odd${index % 2}`, 'x', from('198.51.100.1')),
    )
    const [, , ...waiting] = flood
    const first = Promise.race(waiting)
    const alice = await verifier.verify('alice', ALICE.password, from('203.0.113.7'))
    assert.equal(alice.outcome, 'verified')
    assert.equal((await first).outcome, 'unavailable')
    await Promise.all(flood)
  })
})

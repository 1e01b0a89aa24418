// Passwords: no error repeats one, and no bind has an empty one.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import {
  ldapMessage,
  ldapResponse,
  ldapResult,
  startLdapServer,
} from '../../../fakes/ldap-server.ts'
import { causeOf, withDirectBind } from './settings.ts'
import {
  ALICE,
  answerBind,
  assertSilent,
  found,
  settingsFor,
  SERVICE,
  verifyAlice,
} from './scripted.ts'

describe('a password that a server repeats', () => {
  for (const code of [1, 2, 8, 13, 34, 50, 53, 80]) {
    it(`with result code ${code} is not in the error`, async () => {
      const both = `${SERVICE.password} ${ALICE.password}`
      const asUser = await verifyAlice(answerBind((request) => ldapResponse(request, code, both)))
      assert.equal(asUser.outcome, 'unavailable')
      assertSilent(asUser)
      const asService = await verifyAlice((request) => ldapResponse(request, code, both))
      assert.equal(causeOf(asService).failure, 'service-refused')
      assertSilent(asService)
    })
  }

  it('in a notice of disconnection is not in the error', async () => {
    const verification = await verifyAlice(
      answerBind(() => ldapMessage(0, 0x78, ldapResult(52, ALICE.password))),
    )
    assert.equal(causeOf(verification).failure, 'closed')
    assertSilent(verification)
  })

  it('is not in the settings or the verifier when they are printed', async () => {
    await using server = await startLdapServer((request) => ldapResponse(request, 0))
    const settings = settingsFor([server])
    using verifier = new LdapVerifier(settings)
    for (const value of [settings, verifier]) assertSilent(value)
    assert.ok(!JSON.stringify(settings).includes(SERVICE.password))
    assert.equal(String(settings.bind?.password), '[redacted]')
  })
})

describe('a bind', () => {
  const BLANK = [
    '',
    ' ',
    '\t\n',
    '\0',
    '\0secret',
    `${ALICE.password}\0`,
    '\u00a0',
    '\ufeff',
    '\u3000',
  ]
  for (const password of BLANK) {
    it(`with a blank password is wrong and never sent: ${JSON.stringify(password)}`, async () => {
      // This server accepts an empty password as an anonymous bind.
      await using server = await startLdapServer((request) => {
        if (request.kind === 'search') return found(request)
        if (request.kind !== 'bind') return undefined
        const { password: sent = '' } = server.binds.at(-1) ?? {}
        const known = [SERVICE.password, ALICE.password].includes(sent)
        return ldapResponse(request, known || sent.trim() === '' || sent.includes('\0') ? 0 : 49)
      })
      const bySearch = settingsFor([server])
      for (const settings of [bySearch, withDirectBind(bySearch, ['uid={user}'])]) {
        using verifier = new LdapVerifier(settings)
        const verification = await verifier.verify('alice', password, CALLER)
        assert.deepEqual(verification, { outcome: 'wrong-password' })
      }
      assert.equal(server.binds.length, 3)
      for (const { dn, password: sent } of server.binds) {
        assert.ok(dn.trim() !== '' && sent.trim() !== '' && !sent.includes('\0'))
      }
    })
  }

  it('is not sent for an entry without a DN', async () => {
    await using server = await startLdapServer((request) =>
      request.kind === 'search' ? found(request, '') : ldapResponse(request, 0),
    )
    using verifier = new LdapVerifier(settingsFor([server]))
    const verification = await verifier.verify('alice', ALICE.password, CALLER)
    assert.equal(verification.outcome, 'unavailable')
    assert.deepEqual(server.binds, [SERVICE])
  })

  it('is a simple bind for a DN that the library parses as a SASL mechanism', async () => {
    await using server = await startLdapServer((request) => ldapResponse(request, 49))
    const search = { base: '', scope: 'sub', filter: '(uid={user})' } as const
    using verifier = new LdapVerifier(withDirectBind(settingsFor([server]), ['{user}'], search))
    for (const user of ['EXTERNAL', 'PLAIN']) {
      assert.equal((await verifier.verify(user, 'x', CALLER)).outcome, 'wrong-password')
      assert.deepEqual(server.binds.at(-1), { dn: user, password: 'x' })
    }
  })
})

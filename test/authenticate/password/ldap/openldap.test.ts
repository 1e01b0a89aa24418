// Users of a real OpenLDAP: the contract of verifiers, identities, and hostile names.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../../servers/openldap.ts'
import { BASE, OTHER_USERS, PEOPLE } from '../../../servers/openldap-data.ts'
import { CONFORMANCE_USERS, verifierConformance } from '../conformance.ts'
import { causeOf, openLdapSettings, verifyWith, withDirectBind } from './settings.ts'

describe('OpenLDAP', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let settings: LdapSettings
  let verifier: LdapVerifier
  before(async () => {
    server = await startOpenLdap()
    settings = await openLdapSettings(server)
    verifier = new LdapVerifier(settings)
  })
  after(async () => {
    verifier[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  verifierConformance('an LDAP verifier', async () => verifier)

  describe('an entry', () => {
    const { password } = CONFORMANCE_USERS.alice

    it('yields name, identifier and further attributes', async () => {
      const attributes = {
        user: 'UID',
        uid: 'entryUUID',
        extra: { title: 'TITLE', phone: 'telephoneNumber', mail: 'mail' },
      }
      const verification = await verifyWith({ ...settings, attributes }, 'ALICE', password)
      assert.equal(verification.outcome, 'verified')
      const { user, uid = '', extra } = verification.user
      assert.equal(user, 'alice', 'as the directory has it, and not as typed')
      assert.match(uid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.deepEqual(extra, { title: ['Engineer', 'Officer'], mail: ['616c696365@example.org'] })
    })

    const UNUSABLE: readonly {
      readonly name: string
      readonly attributes: LdapSettings['attributes']
      readonly want: RegExp
    }[] = [
      {
        name: 'without the name',
        attributes: { user: 'displayName', extra: {} },
        want: /has no displayName$/,
      },
      {
        name: 'with several names, none of which was typed',
        attributes: { user: 'title', extra: {} },
        want: /several values of title/,
      },
      {
        name: 'without the identifier',
        attributes: { user: 'uid', uid: 'employeeNumber', extra: {} },
        want: /has no employeeNumber$/,
      },
      {
        name: 'with several identifiers',
        attributes: { user: 'uid', uid: 'title', extra: {} },
        want: /several values of title$/,
      },
      {
        name: 'with a picture where text should be',
        attributes: { user: 'uid', extra: { picture: 'jpegPhoto' } },
        want: /jpegPhoto that is not text$/,
      },
    ]
    for (const { name, attributes, want } of UNUSABLE) {
      it(`${name} does not yield an identity`, async () => {
        const cause = causeOf(await verifyWith({ ...settings, attributes }, 'alice', password))
        assert.equal(cause.failure, 'entry-unusable')
        assert.match(cause.message, want)
      })
    }

    it('with several names is identified by the one that was typed', async () => {
      for (const typed of ['second', 'First']) {
        const verification = await verifier.verify(typed, 'Two-Secret1', CALLER)
        assert.equal(verification.outcome, 'verified')
        assert.equal(verification.user.user, typed.toLowerCase())
      }
    })
  })

  describe('a name that has to be escaped in a DN', () => {
    for (const user of ['john', 'lead', 'spaces', 'odd'] as const) {
      it(`${user} is verified`, async () => {
        const verification = await verifier.verify(user, OTHER_USERS[user], CALLER)
        assert.equal(verification.outcome, 'verified')
        assert.equal(verification.user.user, user)
      })
    }
  })

  describe('a search with two results', () => {
    it('verifies neither user, and the failure names both', async () => {
      const search = { base: PEOPLE, scope: 'sub', filter: '(mail={user})' } as const
      const byMail = { ...settings, search }
      const verification = await verifyWith(byMail, 'twin@example.org', 'Twin-Secret1')
      const { failure, message } = causeOf(verification)
      assert.equal(failure, 'ambiguous')
      assert.match(message, /more than one entry matches .*uid=twin1.*uid=twin2/)
    })
  })

  describe('a hostile name', () => {
    const NAMES = [
      '*',
      'a*',
      '*lice',
      'alice)',
      'alice)(uid=*',
      ')(uid=*',
      '*)(uid=*))(|(uid=*',
      'admin)(|(uid=*',
      'alice)(objectClass=*))(&(uid=x',
      '\\2a',
      '\\61lice',
      'alice\\',
      'alice\u0000',
      'alice\u0000)(uid=*',
      '(uid=alice)',
      '&(uid=alice)',
      `uid=alice,${PEOPLE}`,
      '{user}',
      '{dn}',
      '$&',
      'ａlice\u202e',
      '\ufeffalice\ufeffbob',
    ]
    for (const name of NAMES) {
      it(`is unknown: ${JSON.stringify(name)}`, async () => {
        for (const { password } of Object.values(CONFORMANCE_USERS)) {
          const verification = await verifier.verify(name, password, CALLER)
          assert.deepEqual(verification, { outcome: 'unknown-user' })
        }
      })
    }
  })

  describe('a password policy', () => {
    it('rejects a password that must be changed', async () => {
      assert.deepEqual(await verifier.verify('mia', OTHER_USERS.mia, CALLER), {
        outcome: 'barred',
        code: 'password-must-change',
      })
      assert.equal((await verifier.verify('mia', 'x', CALLER)).outcome, 'wrong-password')
    })

    it('rejects a locked user, whatever the password', async () => {
      assert.equal((await verifier.verify('bob', OTHER_USERS.bob, CALLER)).outcome, 'verified')
      for (const attempt of ['x', 'y', 'z']) {
        assert.equal((await verifier.verify('bob', attempt, CALLER)).outcome, 'wrong-password')
      }
      const locked = { outcome: 'barred', code: 'user-locked' }
      assert.deepEqual(await verifier.verify('bob', OTHER_USERS.bob, CALLER), locked)
      assert.deepEqual(await verifier.verify('bob', 'x', CALLER), locked)
    })
  })

  describe('a direct bind', () => {
    const direct = (names: readonly string[], filter?: string): LdapSettings =>
      withDirectBind(
        settings,
        names,
        filter === undefined ? undefined : { base: BASE, scope: 'sub', filter },
      )
    const { password } = CONFORMANCE_USERS.alice
    const BY_UID = [`uid={user},${PEOPLE}`]

    it('reads the entry as the user', async () => {
      const verification = await verifyWith(direct(BY_UID), 'ALICE', password)
      assert.equal(verification.outcome, 'verified')
      assert.equal(verification.user.user, 'alice')
    })

    it('cannot distinguish an unknown user from a wrong password', async () => {
      assert.equal((await verifyWith(direct(BY_UID), 'alice', 'x')).outcome, 'wrong-password')
      assert.equal((await verifyWith(direct(BY_UID), 'nobody', 'x')).outcome, 'wrong-password')
    })

    it('escapes the typed name', async () => {
      const byCn = direct([`cn={user},${PEOPLE}`])
      const users = { 'Smith, John': 'john', '#lead': 'lead', ' two  spaces': 'spaces' } as const
      for (const [cn, uid] of Object.entries(users)) {
        const verification = await verifyWith(byCn, cn, OTHER_USERS[uid])
        assert.equal(verification.outcome, 'verified', cn)
        assert.equal(verification.user.user, uid)
      }
      const odd = await verifyWith(byCn, 'a+b=c;"d"<e>\\f', OTHER_USERS.odd)
      assert.equal(odd.outcome, 'verified')
    })

    it('does not leave its branch', async () => {
      const people = direct([`uid={user},ou=nowhere,${BASE}`])
      for (const name of [`alice,${PEOPLE}`, `alice,ou=people,${BASE},`, 'alice+cn=Alice Adams']) {
        assert.equal((await verifyWith(people, name, password)).outcome, 'wrong-password', name)
      }
    })

    it('does not know a user that its search does not match', async () => {
      const officers = direct(BY_UID, '(&(uid={user})(title=Officer))')
      assert.equal((await verifyWith(officers, 'alice', password)).outcome, 'verified')
      const jürgen = await verifyWith(officers, 'jürgen', CONFORMANCE_USERS.jürgen.password)
      assert.equal(jürgen.outcome, 'unknown-user')
    })

    it('applies the password policy', async () => {
      const verification = await verifyWith(direct(BY_UID), 'mia', OTHER_USERS.mia)
      assert.deepEqual(verification, { outcome: 'barred', code: 'password-must-change' })
    })

    it('never reads with the bind of an earlier user', async () => {
      using one = new LdapVerifier({
        ...direct(BY_UID),
        concurrency: 1,
      })
      for (let round = 0; round < 5; round += 1) {
        for (const [user, right] of [
          ['alice', password],
          ['jürgen', CONFORMANCE_USERS.jürgen.password],
        ] as const) {
          const verification = await one.verify(user, right, CALLER)
          assert.equal(verification.outcome, 'verified')
          assert.equal(verification.user.user, user)
          assert.equal((await one.verify(user, 'x', CALLER)).outcome, 'wrong-password')
        }
      }
    })
  })
})

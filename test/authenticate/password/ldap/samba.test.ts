// Users of a real Active Directory (Samba): the contract of verifiers, disabled accounts, groups as AD resolves them,
// and binds by names that are not a DN.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type {
  EntrySearch,
  LdapGroups,
  LdapSettings,
} from '../../../../src/authenticate/password/ldap/schema.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { ldifReplace } from '../../../servers/ldif.ts'
import { skipWithoutSamba, startSambaAd, type SambaAd } from '../../../servers/samba-ad.ts'
import { AD_GROUPS, AD_PEOPLE, AD_USERS, DOMAIN } from '../../../servers/samba-ad-data.ts'
import { CONFORMANCE_USERS, verifierConformance } from '../conformance.ts'
import { causeOf, sambaSettings, serversAt, verifyWith, withDirectBind } from './settings.ts'

const { password: ALICE } = CONFORMANCE_USERS.alice

describe('Active Directory', { skip: skipWithoutSamba() }, () => {
  let server: SambaAd
  let settings: LdapSettings
  let verifier: LdapVerifier
  before(async () => {
    server = await startSambaAd()
    settings = await sambaSettings(server)
    verifier = new LdapVerifier(settings)
  })
  after(async () => {
    verifier[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  verifierConformance('an LDAP verifier', async () => verifier)

  describe('a disabled account', () => {
    const CASES = {
      mia: 'password-must-change',
      axel: 'user-expired',
      petra: 'password-expired',
    } as const
    for (const user of ['mia', 'axel', 'petra'] as const) {
      it(`has the reason ${CASES[user]}, which only the right password yields`, async () => {
        assert.deepEqual(await verifier.verify(user, AD_USERS[user], CALLER), {
          outcome: 'barred',
          code: CASES[user],
        })
        assert.equal((await verifier.verify(user, 'x', CALLER)).outcome, 'wrong-password')
      })
    }

    it('is locked until it is unlocked', async () => {
      for (const attempt of ['x', 'y', 'z']) {
        assert.equal((await verifier.verify('bob', attempt, CALLER)).outcome, 'wrong-password')
      }
      const locked = { outcome: 'barred', code: 'user-locked' }
      assert.deepEqual(await verifier.verify('bob', AD_USERS.bob, CALLER), locked)
      await server.modify(ldifReplace(`CN=Bob Brown,${AD_PEOPLE}`, { lockoutTime: '0' }))
      assert.equal((await verifier.verify('bob', AD_USERS.bob, CALLER)).outcome, 'verified')
    })
  })

  describe('an identifier', () => {
    const uidBy = async (uid: string): Promise<string | undefined> => {
      const attributes = { user: 'sAMAccountName', uid, extra: { identifier: uid } }
      const verification = await verifyWith({ ...settings, attributes }, 'ALICE', ALICE)
      assert.equal(verification.outcome, 'verified')
      assert.equal(verification.user.user, 'alice')
      assert.deepEqual(verification.user.extra, { identifier: [verification.user.uid] })
      return verification.user.uid
    }

    it('is a GUID in its usual form', async () =>
      assert.match(
        (await uidBy('objectGUID')) ?? '',
        /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      ))

    it('is a SID in its usual form, however the attribute is written', async () =>
      assert.match((await uidBy('OBJECTSID')) ?? '', /^S-1-5-21-\d+-\d+-\d+-1\d{3}$/))
  })

  describe('groups', () => {
    const groupsOf = async (
      user: string,
      password: string,
      groups: Partial<LdapGroups>,
    ): Promise<Verification> => {
      const activeDirectory = { base: AD_GROUPS, filter: '(objectClass=group)' }
      const way = groups.attribute === undefined ? { activeDirectory } : {}
      const all: LdapGroups = { ...way, limit: 100, ...groups }
      return await verifyWith({ ...settings, groups: all }, user, password)
    }
    const CHAIN = ['developers', 'engineering', 'staff']
    const CASES: readonly {
      readonly name: string
      readonly groups: Partial<LdapGroups>
      readonly want: readonly string[]
    }[] = [
      { name: 'nested, resolved by AD', groups: {}, want: CHAIN },
      {
        name: 'nested, level by level',
        groups: { attribute: { name: 'memberOf', nested: 5 } },
        want: CHAIN,
      },
      {
        name: 'direct',
        groups: { attribute: { name: 'memberOf', nested: 0 } },
        want: ['developers'],
      },
      {
        name: 'called by an attribute',
        groups: { name: 'sAMAccountName' },
        want: CHAIN,
      },
      {
        name: 'with the primary group, and its parent groups',
        groups: { primaryGroupBase: DOMAIN.base, subtree: DOMAIN.base },
        want: ['Domain Users', 'all', ...CHAIN],
      },
      {
        name: 'with the primary group, level by level',
        groups: {
          attribute: { name: 'memberOf', nested: 5 },
          primaryGroupBase: DOMAIN.base,
          subtree: AD_GROUPS,
        },
        want: ['all', ...CHAIN],
      },
    ]
    for (const { name, groups, want } of CASES) {
      for (const [user, password] of [
        ['alice', ALICE],
        ['john', AD_USERS.john],
      ] as const) {
        it(`of ${user} are found ${name}`, async () => {
          const verification = await groupsOf(user, password, groups)
          assert.equal(verification.outcome, 'verified', causeOf(verification).message)
          assert.deepEqual(verification.user.groups, want)
        })
      }
    }

    it('make the user unavailable when the primary group is not found', async () => {
      const cause = causeOf(await groupsOf('alice', ALICE, { primaryGroupBase: AD_GROUPS }))
      assert.equal(cause.failure, 'groups-unusable')
      assert.match(cause.message, /primary group of CN=Alice Adams.* is not found under/)
    })
  })

  describe('a direct bind', () => {
    const direct = (names: readonly string[], search?: Partial<EntrySearch>): LdapSettings =>
      withDirectBind(settings, names, {
        base: AD_PEOPLE,
        scope: 'sub',
        filter: '(|(sAMAccountName={user})(mail={user}@example.org))',
        ...search,
      })
    const NAMES = [`{user}@${DOMAIN.name}`, `${DOMAIN.netbios}\\{user}`, `CN={user},${AD_PEOPLE}`]

    for (const name of NAMES.slice(0, 2)) {
      it(`may be as ${name}`, async () => {
        const verification = await verifyWith(direct([name]), 'ALICE', ALICE)
        assert.equal(verification.outcome, 'verified', causeOf(verification).message)
        assert.equal(verification.user.user, 'alice')
        assert.equal((await verifyWith(direct([name]), 'alice', 'x')).outcome, 'wrong-password')
      })

      it(`as ${name} does not lead to another domain`, async () => {
        for (const user of [`alice@${DOMAIN.name}`, `${DOMAIN.netbios}\\alice`, 'alice@']) {
          assert.equal((await verifyWith(direct([name]), user, ALICE)).outcome, 'unknown-user')
        }
      })
    }

    it('tries several names, and verifies with the one that fits', async () => {
      const verification = await verifyWith(
        direct([NAMES[2] ?? '', NAMES[0] ?? '']),
        'john',
        AD_USERS.john,
      )
      assert.equal(verification.outcome, 'verified', causeOf(verification).message)
      assert.equal(verification.user.user, 'john')
    })

    it('yields the reason of a disabled account', async () => {
      assert.deepEqual(await verifyWith(direct(NAMES.slice(0, 1)), 'mia', AD_USERS.mia), {
        outcome: 'barred',
        code: 'password-must-change',
      })
    })

    it('does not yield another account for the password of one user', async () => {
      // Trudy binds as zoe@example.org; the entry with that address is Victor's.
      const cause = causeOf(await verifyWith(direct(NAMES.slice(0, 1)), 'zoe', AD_USERS.trudy))
      assert.equal(cause.failure, 'entry-unusable')
      assert.match(cause.message, /^the entry CN=Victor,.* is not the account that was bound/)
      const victor = await verifyWith(direct(NAMES.slice(0, 1)), 'zoe', AD_USERS.victor)
      assert.equal(victor.outcome, 'wrong-password')
    })

    it('finds the groups with the bind of the user', async () => {
      const groups: LdapGroups = {
        activeDirectory: { base: AD_GROUPS, filter: '(objectClass=group)' },
        limit: 100,
      }
      const verification = await verifyWith(
        { ...direct(NAMES.slice(0, 1)), groups },
        'alice',
        ALICE,
      )
      assert.equal(verification.outcome, 'verified', causeOf(verification).message)
      assert.deepEqual(verification.user.groups, ['developers', 'engineering', 'staff'])
    })
  })

  it('with StartTLS has the same result', async () => {
    const servers = serversAt(`ldap://${server.address}`)
    assert.equal((await verifyWith({ ...settings, servers }, 'alice', ALICE)).outcome, 'verified')
  })

  it('accepts no password without TLS', async () => {
    const plain = {
      ...settings,
      servers: serversAt(`ldap://${server.address}`),
      startTls: false,
    }
    const cause = causeOf(await verifyWith(plain, 'alice', ALICE))
    assert.equal(cause.failure, 'service-refused')
    assert.match(cause.message, /result code 8$/)
  })

  it('searched from its root returns referrals, which are not followed', async () => {
    assert.ok(settings.search)
    const search = { ...settings.search, base: DOMAIN.base }
    const verification = await verifyWith({ ...settings, search }, 'alice', ALICE)
    assert.equal(verification.outcome, 'verified')
  })
})

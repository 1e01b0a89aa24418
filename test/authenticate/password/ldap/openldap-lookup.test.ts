// Accounts of a real OpenLDAP, looked up again after changes of the directory.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import type { AccountLookup } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { ldifAdd, ldifDelete, ldifEntry, ldifReplace } from '../../../servers/ldif.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../../servers/openldap.ts'
import { BASE, GROUPS, PEOPLE } from '../../../servers/openldap-data.ts'
import { openLdapSettings, withDirectBind } from './settings.ts'

const PASSWORD = 'Nina-Secret1'
const DN = `uid=nina,${PEOPLE}`
const TEAM = `cn=team,${GROUPS}`
const LEADS = `cn=leads,${GROUPS}`

const NINA = ldifEntry(DN, {
  objectClass: ['inetOrgPerson', 'shadowAccount'],
  uid: 'nina',
  cn: 'Nina',
  sn: 'Nina',
  userPassword: PASSWORD,
})

const groupEntry = (dn: string, member: string): string =>
  ldifEntry(dn, { objectClass: 'groupOfNames', member })

describe('an account of OpenLDAP, looked up again', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let settings: LdapSettings
  let verifier: LdapVerifier
  before(async () => {
    server = await startOpenLdap()
    settings = {
      ...(await openLdapSettings(server)),
      groups: {
        search: {
          base: GROUPS,
          scope: 'sub',
          filter: '(&(objectClass=groupOfNames)(member={dn}))',
          nested: 3,
        },
        limit: 100,
      },
    }
    verifier = new LdapVerifier(settings)
  })
  after(async () => {
    verifier[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  /** The lookup of nina, who logged in before a change. */
  const lookupAfter = async (
    changes: readonly string[],
    by: LdapVerifier = verifier,
  ): Promise<AccountLookup> => {
    await server.modify([NINA, groupEntry(TEAM, DN), groupEntry(LEADS, TEAM)].map(ldifAdd).join(''))
    try {
      const proven = await verifier.verify('Nina', PASSWORD, CALLER)
      assert.equal(proven.outcome, 'verified')
      assert.deepEqual(proven.user.groups, ['leads', 'team'])
      assert.ok(proven.account)
      for (const change of changes) await server.modify(change)
      return await by.lookup(proven.account, CALLER.signal)
    } finally {
      for (const dn of [DN, TEAM, LEADS]) {
        await server.modify(ldifDelete(dn)).catch(() => undefined)
      }
    }
  }

  it('is current, with the present attributes', async () => {
    assert.deepEqual(await lookupAfter([]), {
      outcome: 'current',
      user: { user: 'nina', groups: ['leads', 'team'], extra: {} },
    })
    const left = await lookupAfter([ldifDelete(LEADS)])
    assert.equal(left.outcome, 'current')
    assert.deepEqual(left.user.groups, ['team'], 'a nested group that is gone')
  })

  const ENDS = [
    { name: 'removed', changes: [ldifDelete(DN)], code: 'user-unknown' },
    {
      name: 'removed and created again under that name',
      changes: [ldifDelete(DN), ldifAdd(NINA)],
      code: 'user-replaced',
    },
    {
      name: 'given another password',
      changes: [
        // The policy counts in seconds: a time that differs from that of the earlier password.
        ldifReplace(DN, { pwdChangedTime: '20200101000000Z' }),
      ],
      code: 'password-changed',
    },
    {
      name: 'locked by the administrator',
      changes: [ldifReplace(DN, { pwdAccountLockedTime: '000001010000Z' })],
      code: 'user-locked',
    },
    {
      name: 'given an end in the past (pwdEndTime)',
      changes: [ldifReplace(DN, { pwdEndTime: '20200101000000Z' })],
      code: 'user-expired',
    },
    {
      name: 'given an end in the past (shadowExpire)',
      changes: [ldifReplace(DN, { shadowExpire: '18000' })],
      code: 'user-expired',
    },
    {
      name: 'reset, so that the password has to be changed',
      changes: [ldifReplace(DN, { pwdReset: 'TRUE' })],
      code: 'password-must-change',
    },
  ]
  for (const { name, changes, code } of ENDS) {
    it(`has ended when it was ${name}`, async () =>
      assert.deepEqual(await lookupAfter(changes), { outcome: 'ended', code }))
  }

  it('has ended when its password was changed at the server', async () => {
    // The time differs in seconds from that of the first password.
    await server.modify(ldifAdd(NINA))
    try {
      await server.modify(ldifReplace(DN, { pwdChangedTime: '20200101000000Z' }))
      const proven = await verifier.verify('nina', PASSWORD, CALLER)
      assert.equal(proven.outcome, 'verified')
      await server.modify(ldifReplace(DN, { userPassword: 'Other-Secret1' }))
      assert.deepEqual(await verifier.lookup(proven.account ?? '', CALLER.signal), {
        outcome: 'ended',
        code: 'password-changed',
      })
    } finally {
      await server.modify(ldifDelete(DN))
    }
  })

  it('has ended when it was locked by wrong passwords', async () => {
    const policy = ldifReplace(DN, { pwdPolicySubentry: `cn=lock,ou=policies,${BASE}` })
    await server.modify(ldifAdd(NINA))
    try {
      await server.modify(policy)
      const proven = await verifier.verify('nina', PASSWORD, CALLER)
      assert.equal(proven.outcome, 'verified')
      for (const guess of ['x', 'y', 'z']) {
        assert.equal((await verifier.verify('nina', guess, CALLER)).outcome, 'wrong-password')
      }
      assert.deepEqual(await verifier.lookup(proven.account ?? '', CALLER.signal), {
        outcome: 'ended',
        code: 'user-locked',
      })
    } finally {
      await server.modify(ldifDelete(DN))
    }
  })

  it('cannot log in after shadowExpire', async () => {
    await server.modify(ldifAdd(NINA))
    try {
      await server.modify(ldifReplace(DN, { shadowExpire: '18000' }))
      assert.deepEqual(await verifier.verify('nina', PASSWORD, CALLER), {
        outcome: 'barred',
        code: 'user-expired',
      })
      assert.equal((await verifier.verify('nina', 'x', CALLER)).outcome, 'wrong-password')
    } finally {
      await server.modify(ldifDelete(DN))
    }
  })

  it('is unsupported with another search, and without a service account', async () => {
    assert.ok(settings.search)
    const search = { ...settings.search, filter: '(uid={user})' }
    using other = new LdapVerifier({ ...settings, search })
    assert.deepEqual(await lookupAfter([], other), { outcome: 'unsupported' })
    const names = [`uid={user},${PEOPLE}`]
    using direct = new LdapVerifier(withDirectBind(settings, names))
    assert.deepEqual(await lookupAfter([], direct), { outcome: 'unsupported' })
  })

  it('is unavailable while the directory is down', async () => {
    const proven = await verifier.verify('alice', 'correct horse', CALLER)
    assert.equal(proven.outcome, 'verified')
    await server.kill()
    const lookup = await verifier.lookup(proven.account ?? '', CALLER.signal)
    assert.equal(lookup.outcome, 'unavailable')
    await server.start()
  })
})

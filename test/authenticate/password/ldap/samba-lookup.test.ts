// Accounts of a real Active Directory (Samba), looked up again after changes of the directory.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { AccountLookup } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { ldifDelete, ldifAdd, ldifEntry, ldifReplace } from '../../../servers/ldif.ts'
import { skipWithoutSamba, startSambaAd, type SambaAd } from '../../../servers/samba-ad.ts'
import { AD_GROUPS, AD_PEOPLE, DOMAIN } from '../../../servers/samba-ad-data.ts'
import { sambaSettings } from './settings.ts'

const PASSWORD = 'Nina-Secret1'
const DN = `CN=Nina,${AD_PEOPLE}`
const TEAM = `CN=team,${AD_GROUPS}`
const LEADS = `CN=leads,${AD_GROUPS}`

const passwordOf = (password: string): Buffer => Buffer.from(`"${password}"`, 'utf16le')

const NINA = ldifEntry(DN, {
  objectClass: 'user',
  sAMAccountName: 'nina',
  userPrincipalName: `nina@${DOMAIN.name}`,
  userAccountControl: '512',
  unicodePwd: passwordOf(PASSWORD),
})

const groupEntry = (dn: string, name: string, member: string): string =>
  ldifEntry(dn, { objectClass: 'group', sAMAccountName: name, member })

describe('an account of Active Directory, looked up again', { skip: skipWithoutSamba() }, () => {
  let server: SambaAd
  let verifier: LdapVerifier
  before(async () => {
    server = await startSambaAd()
    verifier = new LdapVerifier({
      ...(await sambaSettings(server)),
      groups: {
        activeDirectory: { base: AD_GROUPS, filter: '(objectClass=group)' },
        limit: 100,
      },
    })
  })
  after(async () => {
    verifier[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
  })

  /** The lookup of nina, who logged in before a change. */
  const lookupAfter = async (change: () => Promise<unknown>): Promise<AccountLookup> => {
    const entries = [NINA, groupEntry(TEAM, 'team', DN), groupEntry(LEADS, 'leads', TEAM)]
    await server.modify(entries.map(ldifAdd).join(''))
    try {
      const proven = await verifier.verify('Nina', PASSWORD, CALLER)
      assert.equal(proven.outcome, 'verified')
      assert.deepEqual(proven.user.groups, ['leads', 'team'])
      await change()
      return await verifier.lookup(proven.account ?? '', CALLER.signal)
    } finally {
      for (const dn of [DN, TEAM, LEADS]) {
        await server.modify(ldifDelete(dn)).catch(() => undefined)
      }
    }
  }

  it('is current, with the present attributes', async () => {
    assert.deepEqual(await lookupAfter(async () => undefined), {
      outcome: 'current',
      user: { user: 'nina', groups: ['leads', 'team'], extra: {} },
    })
    const left = await lookupAfter(async () => await server.modify(ldifDelete(LEADS)))
    assert.equal(left.outcome, 'current')
    assert.deepEqual(left.user.groups, ['team'], 'a nested group that is gone')
  })

  it('is current after a wrong password that does not lock the account', async () => {
    const lookup = await lookupAfter(async () => await verifier.verify('nina', 'x', CALLER))
    assert.equal(lookup.outcome, 'current')
  })

  const ENDS: readonly {
    readonly name: string
    readonly changes: readonly string[]
    readonly code: string
  }[] = [
    { name: 'removed', changes: [ldifDelete(DN)], code: 'user-unknown' },
    {
      name: 'removed and created again under that name',
      changes: [ldifDelete(DN), ldifAdd(NINA)],
      code: 'user-replaced',
    },
    {
      name: 'disabled',
      changes: [ldifReplace(DN, { userAccountControl: '514' })],
      code: 'user-disabled',
    },
    {
      name: 'given an end in the past',
      changes: [ldifReplace(DN, { accountExpires: '116444736010000000' })],
      code: 'user-expired',
    },
    {
      name: 'given another password',
      changes: [ldifReplace(DN, { unicodePwd: passwordOf('Other-Secret1') })],
      code: 'password-changed',
    },
    {
      name: 'required to change its password at the next login',
      changes: [ldifReplace(DN, { pwdLastSet: '0' })],
      code: 'password-must-change',
    },
  ]
  for (const { name, changes, code } of ENDS) {
    it(`has ended when it was ${name}`, async () => {
      const change = async (): Promise<void> => {
        for (const ldif of changes) await server.modify(ldif)
      }
      assert.deepEqual(await lookupAfter(change), { outcome: 'ended', code })
    })
  }

  it('has ended when it was locked by wrong passwords', async () => {
    const lookup = await lookupAfter(async () => {
      for (const guess of ['x', 'y', 'z']) {
        assert.equal((await verifier.verify('nina', guess, CALLER)).outcome, 'wrong-password')
      }
    })
    assert.deepEqual(lookup, { outcome: 'ended', code: 'user-locked' })
  })
})

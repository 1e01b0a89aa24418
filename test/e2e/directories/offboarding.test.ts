// Users of real directories are looked up again while they are logged in: who is removed, disabled, locked or
// expired there, or has another password, loses everything that the login gave out.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import { until } from '../../fakes/until.ts'
import type { Site } from '../../issuer/authorization-server.ts'
import {
  assertEverything,
  assertNothing,
  loggedInFully,
  startOffboarding,
  type LoggedIn,
} from '../../issuer/offboarding.ts'
import type { Credentials } from '../../issuer/session/browsing.ts'
import { ldifAdd, ldifDelete, ldifEntry, ldifReplace } from '../../servers/ldif.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../servers/openldap.ts'
import { GROUPS, PEOPLE, SERVICE } from '../../servers/openldap-data.ts'
import { skipWithoutSamba, startSambaAd, type SambaAd } from '../../servers/samba-ad.ts'
import { AD_GROUPS, AD_PEOPLE, AD_SERVICE, DOMAIN } from '../../servers/samba-ad-data.ts'

const NINA: Credentials = ['nina', 'Nina-Secret1']

/** A directory, and what is done to nina in it. */
interface Directory {
  /** `ldap` of the configuration. */
  readonly ldap: object
  /** Adds her, with a password that was set long ago, in the group "team". */
  readonly entries: string
  readonly dn: string
  readonly team: string
  readonly server: Pick<OpenLdap | SambaAd, 'modify' | 'kill' | 'start'>
}

interface End {
  readonly name: string
  readonly ldif: string
  readonly detail: string
}

const siteOf = async ({ ldap }: Directory): Promise<Site> =>
  await startOffboarding((yaml) =>
    yaml.replace('[{ users: { file: users.yaml } }]', JSON.stringify([{ ldap }])),
  )

const groupsOf = async (user: LoggedIn): Promise<string | undefined> => {
  const outcome = await user.seen()
  return outcome.allow ? (outcome.set['x-remote-group'] ?? '') : undefined
}

const statusOf = async (user: LoggedIn): Promise<string> => {
  const outcome = await user.seen()
  return outcome.allow ? 'OK' : outcome.status
}

const offboarding = (directory: () => Directory, ends: readonly End[]): void => {
  /** Runs a test with nina in the directory, logged in. */
  const withNina = async (test: (site: Site, nina: LoggedIn) => Promise<void>): Promise<void> => {
    const { server, entries, dn, team } = directory()
    await server.modify(entries)
    try {
      await using site = await siteOf(directory())
      const nina = await loggedInFully(site, NINA)
      await assertEverything(nina)
      await test(site, nina)
    } finally {
      for (const one of [dn, team]) await server.modify(ldifDelete(one)).catch(() => undefined)
    }
  }

  for (const { name, ldif, detail } of ends) {
    it(`ends sessions and tokens when the user is ${name}`, async () => {
      await withNina(async (site, nina) => {
        await directory().server.modify(ldif)
        await until(async () => !(await nina.hasSession()), 'the session goes on')
        await assertNothing(nina)
        const events = await site.audit('login-ended')
        assert.deepEqual(
          events.map(({ user, cause, detail: why }) => [user, cause, why]),
          [['nina', 'recheck', detail]],
        )
      })
    })
  }

  it('ends sessions and tokens when the user is locked by wrong passwords', async () => {
    await withNina(async (site, nina) => {
      using client = new EnvoyClient(site.authz.address)
      await until(async () => {
        const pair = Buffer.from(`nina:guess ${performance.now()}`).toString('base64')
        const headers = [['authorization', `Basic ${pair}`]] as const
        await client.check({ host: 'app.example.org', path: '/', headers })
        return !(await nina.hasSession())
      }, 'the session goes on')
      await assertNothing(nina)
      assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'user-locked')
    })
  })

  it('continues with the current groups', async () => {
    await withNina(async (site, nina) => {
      assert.equal(await groupsOf(nina), 'team')
      await directory().server.modify(ldifDelete(directory().team))
      await until(async () => (await groupsOf(nina)) === '', 'the session has the old groups')
      assert.deepEqual(await nina.refresh(), [])
      await assertEverything(nina)
      const renewed = await site.audit('login-renewed')
      assert.deepEqual(
        renewed.map(({ user, groups }) => [user, groups]),
        [['nina', []]],
      )
    })
  })

  it('is unavailable while the directory is down', async () => {
    await withNina(async (site, nina) => {
      const { server } = directory()
      await server.kill()
      try {
        await until(async () => (await statusOf(nina)) === 'ServiceUnavailable', 'it is good')
        assert.deepEqual(await site.audit('login-ended'), [])
      } finally {
        await server.start()
      }
      await until(async () => await nina.hasSession(), 'it is not good again')
      await assertEverything(nina)
    })
  })
}

describe('a login by OpenLDAP', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let directory: Directory
  const dn = `uid=nina,${PEOPLE}`
  const team = `cn=team,${GROUPS}`
  before(async () => {
    server = await startOpenLdap()
    const secret = join(server.authority.folder, 'svc.password')
    await writeFile(secret, SERVICE.password, { mode: 0o600 })
    directory = {
      ldap: {
        servers: [`ldaps://127.0.0.1:${server.tlsPort}`],
        ca: server.authority.ca,
        bind: { dn: SERVICE.dn, password: `file:${secret}` },
        search: { base: PEOPLE },
        groups: { search: { base: GROUPS, nested: 3 } },
        coolDown: '200ms',
      },
      dn,
      team,
      entries: [
        ldifAdd(
          ldifEntry(dn, {
            objectClass: ['inetOrgPerson', 'shadowAccount'],
            uid: 'nina',
            cn: 'Nina',
            sn: 'Nina',
            userPassword: NINA[1],
            pwdPolicySubentry: `cn=lock,ou=policies,dc=example,dc=org`,
          }),
        ),
        ldifAdd(ldifEntry(team, { objectClass: 'groupOfNames', member: dn })),
        // To the second: the password of a test is set in another one.
        ldifReplace(dn, { pwdChangedTime: '20200101000000Z' }),
      ].join(''),
      server,
    }
  })
  after(async () => await server[Symbol.asyncDispose]())

  offboarding(
    () => directory,
    [
      { name: 'removed', ldif: ldifDelete(dn), detail: 'user-unknown' },
      {
        name: 'locked by the administrator',
        ldif: ldifReplace(dn, { pwdAccountLockedTime: '000001010000Z' }),
        detail: 'user-locked',
      },
      {
        name: 'expired (pwdEndTime)',
        ldif: ldifReplace(dn, { pwdEndTime: '20200101000000Z' }),
        detail: 'user-expired',
      },
      {
        name: 'expired (shadowExpire)',
        ldif: ldifReplace(dn, { shadowExpire: '18000' }),
        detail: 'user-expired',
      },
      {
        name: 'given a new password',
        ldif: ldifReplace(dn, { userPassword: 'Other-Secret1' }),
        detail: 'password-changed',
      },
    ],
  )
})

describe('a login by Active Directory', { skip: skipWithoutSamba() }, () => {
  let server: SambaAd
  let directory: Directory
  const dn = `CN=Nina,${AD_PEOPLE}`
  const team = `CN=team,${AD_GROUPS}`
  const passwordOf = (password: string): Buffer => Buffer.from(`"${password}"`, 'utf16le')
  before(async () => {
    server = await startSambaAd()
    const secret = join(server.authority.folder, 'svc.password')
    await writeFile(secret, AD_SERVICE.password, { mode: 0o600 })
    directory = {
      ldap: {
        servers: [`ldaps://${server.address}`],
        ca: server.authority.ca,
        bind: { dn: AD_SERVICE.dn, password: `file:${secret}` },
        search: {
          base: AD_PEOPLE,
          filter: '(&(objectCategory=person)(sAMAccountName={user}))',
        },
        attributes: { user: 'sAMAccountName' },
        groups: { activeDirectory: { base: AD_GROUPS } },
        coolDown: '200ms',
      },
      dn,
      team,
      entries: [
        ldifAdd(
          ldifEntry(dn, {
            objectClass: 'user',
            sAMAccountName: NINA[0],
            userPrincipalName: `${NINA[0]}@${DOMAIN.name}`,
            userAccountControl: '512',
            unicodePwd: passwordOf(NINA[1]),
          }),
        ),
        ldifAdd(ldifEntry(team, { objectClass: 'group', sAMAccountName: 'team', member: dn })),
      ].join(''),
      server,
    }
  })
  after(async () => await server[Symbol.asyncDispose]())

  offboarding(
    () => directory,
    [
      { name: 'removed', ldif: ldifDelete(dn), detail: 'user-unknown' },
      {
        name: 'disabled',
        ldif: ldifReplace(dn, { userAccountControl: '514' }),
        detail: 'user-disabled',
      },
      {
        name: 'expired',
        ldif: ldifReplace(dn, { accountExpires: '116444736010000000' }),
        detail: 'user-expired',
      },
      {
        name: 'given a new password',
        ldif: ldifReplace(dn, { unicodePwd: passwordOf('Other-Secret1') }),
        detail: 'password-changed',
      },
      {
        name: 'required to change the password',
        ldif: ldifReplace(dn, { pwdLastSet: '0' }),
        detail: 'password-must-change',
      },
    ],
  )
})

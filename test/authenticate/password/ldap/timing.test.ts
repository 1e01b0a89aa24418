// The time of a verification must not reveal which user names a directory has, whatever its hashes cost.
//
// Alone: it compares durations.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap/verifier.ts'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { argon2idHash } from '../../../fakes/hashes.ts'
import { ldifReplace } from '../../../servers/ldif.ts'
import { skipWithoutSlapd, startOpenLdap } from '../../../servers/openldap.ts'
import { PEOPLE } from '../../../servers/openldap-data.ts'
import { skipWithoutSamba, startSambaAd } from '../../../servers/samba-ad.ts'
import { openLdapSettings, sambaSettings } from './settings.ts'
import { median } from '../../../fakes/cpu-time.ts'

interface Times {
  readonly wrong: number
  readonly unknown: number
}

const timesOf = async (settings: LdapSettings, rounds: number): Promise<Times> => {
  using verifier = new LdapVerifier(settings)
  const timeOf = async (user: string, want: string): Promise<number> => {
    const started = performance.now()
    const { outcome } = await verifier.verify(user, 'wrong', CALLER)
    assert.equal(outcome, want)
    return performance.now() - started
  }
  // Connections, and what the verifier learns of the server.
  for (let round = 0; round < 3; round += 1) {
    await timeOf('alice', 'wrong-password')
    await timeOf('nobody', 'unknown-user')
  }
  const wrong: number[] = []
  const unknown: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    wrong.push(await timeOf('alice', 'wrong-password'))
    unknown.push(await timeOf(`stranger${round}`, 'unknown-user'))
  }
  return { wrong: median(wrong), unknown: median(unknown) }
}

/** Asserts a difference of at most so many milliseconds, or of this part: waiting varies on a busy machine. */
const assertClose = ({ wrong, unknown }: Times, milliseconds: number, part: number): void => {
  const difference = Math.abs(wrong - unknown)
  const text = `${wrong.toFixed(2)} ms wrong, ${unknown.toFixed(2)} ms unknown`
  assert.ok(difference < Math.max(milliseconds, part * wrong), text)
}

describe('an unknown user takes as long as a wrong password', () => {
  it('on OpenLDAP, where hashes cost nothing', { skip: skipWithoutSlapd() }, async (context) => {
    await using server = await startOpenLdap()
    const times = await timesOf(await openLdapSettings(server), 60)
    context.diagnostic(JSON.stringify(times))
    assertClose(times, 2, 0)
  })

  it('on OpenLDAP, where hashes take their time', { skip: skipWithoutSlapd() }, async (context) => {
    await using server = await startOpenLdap()
    const hash = await argon2idHash('right', 19_456, 2)
    await server.modify(ldifReplace(`uid=alice,${PEOPLE}`, { userPassword: `{ARGON2}${hash}` }))
    const times = await timesOf(await openLdapSettings(server), 60)
    context.diagnostic(JSON.stringify(times))
    assert.ok(times.wrong > 10, `a hash costs ${times.wrong} ms`)
    assertClose(times, 3, 0.6)
  })

  it('on Active Directory', { skip: skipWithoutSamba() }, async (context) => {
    await using server = await startSambaAd()
    const times = await timesOf(await sambaSettings(server), 60)
    context.diagnostic(JSON.stringify(times))
    assertClose(times, 3, 0.6)
  })
})

// Every way in times every way out: the identity that the API server reports, and that in its audit log.
// Steps are in README.md.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ask, callerBy, whoIs, type Caller, type KnownAs } from './asking.ts'
import { BUILDER, OUT, CREDENTIALS_OUT, type CredentialOut } from './configuration.ts'
import { skipWithoutServers, startKubeSite, type KubeSite } from './kube-site.ts'
import { USERS, TEAM, type User } from './users.ts'
import { kubeconfigFor, serviceAccountToken, CREDENTIALS_IN } from './credentials-in.ts'

describe('every credential in and out', { skip: skipWithoutServers(), timeout: 240_000 }, () => {
  let site: KubeSite
  before(async () => (site = await startKubeSite()))
  after(() => site[Symbol.asyncDispose]())

  /** The identity under which the API server has to know a user. */
  const expected = ({ name, uid, groups, teams }: User, out: CredentialOut): KnownAs => ({
    username: name,
    uid,
    groups: [...groups, 'system:authenticated'].toSorted(),
    // A certificate has no place that the API server would read it from.
    extra: out === 'certificate' ? {} : { [TEAM]: teams },
  })

  const WHO = [
    ['a user in groups with special characters', USERS.alice],
    ['a user in 200 groups', USERS.crowd],
  ] as const

  for (const [way, show] of Object.entries(CREDENTIALS_IN)) {
    for (const [who, user] of WHO) {
      describe(`${way}, ${who}`, () => {
        let caller: Caller
        before(async () => (caller = await callerBy(site, show, user)))
        for (const [out, address] of OUT) {
          it(`1. → ${out}: the API server and its audit log have the user`, async () => {
            const { reported, logged } = await whoIs(site, caller, address)
            assert.deepEqual(reported, expected(user, out))
            assert.deepEqual(logged, expected(user, out))
          })
        }
      })
    }
  }

  describe('a user in more groups than a certificate holds', () => {
    let caller: Caller
    before(async () => {
      caller = await callerBy(site, CREDENTIALS_IN['a password (users file)'], USERS.throng)
    })
    for (const [out, address] of OUT.filter(([way]) => way !== 'certificate')) {
      it(`2. → ${out}: the API server has all 400 groups`, async () => {
        const { reported } = await whoIs(site, caller, address)
        assert.equal(reported.groups.length, USERS.throng.groups.length + 1)
      })
    }
    it('2. → certificate: refused with a reason in kubectl, and without a request to the API server', async () => {
      const args = ['get', '--raw', '/version']
      const { code, complaint } = await ask(site, caller, args, CREDENTIALS_OUT.certificate)
      assert.equal(code, 1)
      assert.match(
        complaint,
        /^Error from server \(Forbidden\): .*: This identity, with all its groups, is too large for a certificate\. Ask the operator of this service \(decision /,
      )
      const event = (await site.decisions()).at(-1)
      assert.equal(event?.reason, 'certificate-too-large')
      assert.ok(!(await site.server.audited()).some(({ auditID }) => auditID === event.id))
    })
  })

  describe('a token of a service account', () => {
    let caller: Caller
    before(async () => {
      const identity = await kubeconfigFor(site, await serviceAccountToken(site))
      caller = { identity, state: site.folder.path }
    })
    for (const [out, address] of OUT) {
      it(`1. → ${out}: the API server and its audit log have the account`, async () => {
        const { reported, logged } = await whoIs(site, caller, address)
        assert.deepEqual(logged, reported)
        const { namespace, name } = BUILDER
        assert.equal(reported.username, `system:serviceaccount:${namespace}:${name}`)
        assert.deepEqual(reported.groups, [
          'system:authenticated',
          'system:serviceaccounts',
          `system:serviceaccounts:${namespace}`,
        ])
        assert.match(reported.uid, /^[0-9a-f-]{36}$/)
      })
    }
  })
})

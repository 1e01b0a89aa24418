// Accounts of a users file, looked up again after changes of the file.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HashPool } from '../../../src/authenticate/password/hash.ts'
import { UsersFile } from '../../../src/authenticate/password/users-file.ts'
import type { AccountLookup } from '../../../src/authenticate/password/verifier.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { CALLER } from '../../fakes/caller.ts'
import { cheapHash } from '../../fakes/hashes.ts'

const [hash, other] = await Promise.all([cheapHash('secret'), cheapHash('secret')])

const FILE = '/etc/users.yaml'
const keys = new DerivedKeys()

const yaml = (alice: string | undefined, bob = 'groups: []'): string => `
users:
  ${alice === undefined ? '' : `alice: { password: '${hash}', ${alice} }`}
  bob: { password: '${hash}', ${bob} }
`

/** The lookup of alice, who logged in by one file, in another file. */
const lookupAfter = async (
  before: string,
  after: string,
  file = FILE,
  newKeys = keys,
): Promise<AccountLookup> => {
  const earlier = await UsersFile.parse(FILE, before, new HashPool(), keys)
  const proven = await earlier.verify('alice', 'secret', CALLER)
  assert.equal(proven.outcome, 'verified')
  assert.ok(proven.account)
  assert.ok(!proven.account.includes(hash), 'the reference holds no password hash')
  const later = await UsersFile.parse(file, after, new HashPool(), newKeys)
  return await later.lookup(proven.account)
}

describe('an account of a users file, looked up again', () => {
  const before = yaml('groups: [dev, ops]')

  it('has the present groups and attributes', async () => {
    assert.deepEqual(
      await lookupAfter(before, yaml('uid: "7", groups: [dev], extra: { t: [a] }')),
      {
        outcome: 'current',
        user: { user: 'alice', uid: '7', groups: ['dev'], extra: { t: ['a'] } },
      },
    )
  })

  it('is current when other entries change', async () => {
    const lookup = await lookupAfter(before, yaml('groups: [dev, ops]', 'disabled: true'))
    assert.equal(lookup.outcome, 'current')
  })

  const ENDS = [
    { name: 'removed', after: yaml(undefined), code: 'user-unknown' },
    { name: 'disabled', after: yaml('disabled: true'), code: 'user-disabled' },
    {
      name: 'given another hash, of any password',
      after: before.replace(hash, other),
      code: 'password-changed',
    },
  ]
  for (const { name, after, code } of ENDS) {
    it(`has ended when it was ${name}`, async () =>
      assert.deepEqual(await lookupAfter(before, after), { outcome: 'ended', code }))
  }

  it('is unsupported by another file', async () =>
    assert.deepEqual(await lookupAfter(before, before, '/etc/others.yaml'), {
      outcome: 'unsupported',
    }))

  it('has ended when the keys of the state have changed', async () =>
    assert.deepEqual(await lookupAfter(before, before, FILE, new DerivedKeys()), {
      outcome: 'ended',
      code: 'password-changed',
    }))
})

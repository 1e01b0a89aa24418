// Phase 2: which proven credentials become an identity.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { credentialOf } from '../fakes/authenticator.ts'

const outcomeOf = (
  credential: Partial<ProvenCredential>,
  allowReserved: readonly string[] = [],
): string => {
  const result = new IdentityMapping('staff', { allowReserved }).identityOf(
    credentialOf(credential),
  )
  return result.outcome === 'identity' ? 'identity' : result.code
}

describe('an identity', () => {
  const credential = credentialOf({
    uid: '42',
    groups: ['dev'],
    extra: { team: ['a', 'b'] },
    expires: 5,
  })
  const result = new IdentityMapping('staff', { allowReserved: [] }).identityOf(credential)
  assert.equal(result.outcome, 'identity')
  const { identity } = result

  it('is the proven credential and the name of the authenticator', () => {
    assert.deepEqual(identity, { ...credential, authenticator: 'staff' })
  })

  it('is frozen when it is made', () => assert.ok(Object.isFrozen(identity)))
})

describe('names that a header can carry', () => {
  const NAMES = ['alice', 'alice@example.org', 'CN=Alice, O=Öps', 'a b', '😀', 'x'.repeat(100)]
  for (const name of NAMES) {
    it(`are accepted in every field: ${JSON.stringify(name.slice(0, 30))}`, () => {
      const credential = { user: name, uid: name, groups: [name], extra: { [name]: [name] } }
      assert.equal(outcomeOf(credential), 'identity')
    })
  }
})

describe('names that a header cannot carry', () => {
  const NAMES = [
    { name: 'an empty name', input: '' },
    { name: 'a line end', input: 'alice\r\nx-remote-group: admin' },
    { name: 'a NUL', input: 'alice\0' },
    { name: 'a tab', input: 'a\tb' },
    { name: 'DEL', input: 'alice\u007f' },
    { name: 'a C1 control character', input: 'a\u0085b' },
    { name: 'a lone surrogate', input: 'alice\ud800' },
    { name: 'a leading space', input: ' alice' },
    { name: 'a trailing space', input: 'alice ' },
    { name: 'a trailing no-break space', input: 'alice\u00a0' },
    { name: 'a leading byte order mark', input: '\ufeffalice' },
  ]
  for (const { name, input } of NAMES) {
    const PLACES: readonly Partial<ProvenCredential>[] = [
      { user: input },
      { uid: input },
      { groups: ['dev', input] },
      { extra: { team: ['a', input] } },
      { extra: { [input]: ['a'] } },
    ]
    it(`${name}, in any field of the identity`, () => {
      for (const credential of PLACES)
        assert.equal(outcomeOf(credential), 'identity-unrepresentable')
    })
  }
})

describe('reserved names in an identity', () => {
  const MASTERS = { groups: ['dev', 'system:masters'] }
  const CASES: readonly {
    readonly name: string
    readonly credential: Partial<ProvenCredential>
    readonly allowReserved?: readonly string[]
    readonly want: 'identity' | 'identity-reserved'
  }[] = [
    {
      name: 'are refused as a user',
      credential: { user: 'system:admin' },
      want: 'identity-reserved',
    },
    { name: 'are refused as a group', credential: MASTERS, want: 'identity-reserved' },
    {
      name: 'are refused in another case',
      credential: { groups: ['SYSTEM:masters'] },
      want: 'identity-reserved',
    },
    {
      name: 'are accepted where `allowReserved` lists them',
      credential: MASTERS,
      allowReserved: ['system:masters'],
      want: 'identity',
    },
    {
      name: 'are refused where `allowReserved` lists another',
      credential: MASTERS,
      allowReserved: ['system:nodes'],
      want: 'identity-reserved',
    },
  ]
  for (const { name, credential, allowReserved, want } of CASES) {
    it(name, () => assert.equal(outcomeOf(credential, allowReserved), want))
  }

  it('with surrounding space are refused even where listed', () => {
    const outcome = outcomeOf({ user: ' system:admin' }, [' system:admin'])
    assert.equal(outcome, 'identity-unrepresentable') // no header can carry them
  })
})

describe('a cached result of a mapping', () => {
  it('is the same object for the same credential', () => {
    const mapping = new IdentityMapping('staff', { allowReserved: [] })
    const credential = credentialOf()
    assert.equal(mapping.identityOf(credential), mapping.identityOf(credential))
  })

  it('is not used for an equal credential of another proof', () => {
    const mapping = new IdentityMapping('staff', { allowReserved: [] })
    assert.notEqual(mapping.identityOf(credentialOf()), mapping.identityOf(credentialOf()))
  })

  it('is not used by another mapping', () => {
    const credential = credentialOf({ groups: ['system:masters'] })
    const lenient = new IdentityMapping('staff', { allowReserved: ['system:masters'] }).identityOf(
      credential,
    )
    assert.equal(lenient.outcome, 'identity')
    assert.equal(
      new IdentityMapping('staff', { allowReserved: [] }).identityOf(credential).outcome,
      'refused',
    )
  })
})

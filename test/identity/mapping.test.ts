// Phase 4: which facts become an identity.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { factsOf } from '../fakes/authenticator.ts'

const outcomeOf = (
  facts: Partial<ProvenCredential>,
  allowReserved: readonly string[] = [],
): string => {
  const result = new IdentityMapping('staff', { allowReserved }).identityOf(factsOf(facts))
  return result.outcome === 'identity' ? 'identity' : result.code
}

describe('an identity', () => {
  const facts = factsOf({ uid: '42', groups: ['dev'], extra: { team: ['a', 'b'] }, expires: 5 })
  const result = new IdentityMapping('staff', { allowReserved: [] }).identityOf(facts)
  assert.equal(result.outcome, 'identity')
  const { identity } = result

  it('is the facts and the name of the authenticator', () => {
    assert.deepEqual(identity, { ...facts, authenticator: 'staff' })
  })

  it('cannot be changed', () => assert.ok(Object.isFrozen(identity)))
})

describe('names that can be passed on', () => {
  const NAMES = ['alice', 'alice@example.org', 'CN=Alice, O=Öps', 'a b', '😀', 'x'.repeat(100)]
  for (const name of NAMES) {
    it(JSON.stringify(name.slice(0, 30)), () => {
      const facts = { user: name, uid: name, groups: [name], extra: { [name]: [name] } }
      assert.equal(outcomeOf(facts), 'identity')
    })
  }
})

describe('names that cannot be passed on', () => {
  const NAMES = [
    { name: 'nothing', input: '' },
    { name: 'a line break', input: 'alice\r\nx-remote-group: admin' },
    { name: 'a NUL', input: 'alice\0' },
    { name: 'a tab', input: 'a\tb' },
    { name: 'DEL', input: 'alice\u007f' },
    { name: 'a C1 control character', input: 'a\u0085b' },
    { name: 'a lone surrogate', input: 'alice\ud800' },
    { name: 'space in front', input: ' alice' },
    { name: 'space behind', input: 'alice ' },
    { name: 'a no-break space behind', input: 'alice\u00a0' },
    { name: 'a byte order mark', input: '\ufeffalice' },
  ]
  for (const { name, input } of NAMES) {
    const PLACES: readonly Partial<ProvenCredential>[] = [
      { user: input },
      { uid: input },
      { groups: ['dev', input] },
      { extra: { team: ['a', input] } },
      { extra: { [input]: ['a'] } },
    ]
    it(`${name}, wherever it stands`, () => {
      for (const facts of PLACES) assert.equal(outcomeOf(facts), 'identity-unrepresentable')
    })
  }
})

describe('reserved names', () => {
  it('are refused as a user', () => {
    assert.equal(outcomeOf({ user: 'system:admin' }), 'identity-reserved')
  })

  it('are refused as a group', () => {
    assert.equal(outcomeOf({ groups: ['dev', 'system:masters'] }), 'identity-reserved')
  })

  it('are refused in another case', () => {
    assert.equal(outcomeOf({ groups: ['SYSTEM:masters'] }), 'identity-reserved')
  })

  it('pass where the configuration spells them out', () => {
    assert.equal(outcomeOf({ groups: ['system:masters'] }, ['system:masters']), 'identity')
  })

  it('are refused where it spells out another', () => {
    assert.equal(outcomeOf({ groups: ['system:masters'] }, ['system:nodes']), 'identity-reserved')
  })

  it('with surrounding space are refused one way or the other', () => {
    assert.notEqual(outcomeOf({ user: ' system:admin' }, [' system:admin']), 'identity')
  })
})

describe('what is remembered of a mapping', () => {
  it('is the very identity, for the same facts', () => {
    const mapping = new IdentityMapping('staff', { allowReserved: [] })
    const facts = factsOf()
    assert.equal(mapping.identityOf(facts), mapping.identityOf(facts))
  })

  it('does not pass to equal facts of another proof', () => {
    const mapping = new IdentityMapping('staff', { allowReserved: [] })
    assert.notEqual(mapping.identityOf(factsOf()), mapping.identityOf(factsOf()))
  })

  it('does not pass to another mapping', () => {
    const facts = factsOf({ groups: ['system:masters'] })
    const lenient = new IdentityMapping('staff', { allowReserved: ['system:masters'] }).identityOf(
      facts,
    )
    assert.equal(lenient.outcome, 'identity')
    assert.equal(
      new IdentityMapping('staff', { allowReserved: [] }).identityOf(facts).outcome,
      'refused',
    )
  })
})

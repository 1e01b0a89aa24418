// What follows from an object is kept with it, for this object alone.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Derived, keepsDerived } from '../../src/runtime/derived.ts'

interface Named {
  readonly name: string
}

const OWNERS: readonly { readonly name: string; readonly of: (name: string) => Named }[] = [
  { name: 'an object that was prepared', of: (name) => keepsDerived({ name }) },
  {
    name: 'an object that was prepared and frozen',
    of: (name) => Object.freeze(keepsDerived({ name })),
  },
  { name: 'an object that was not prepared', of: (name) => ({ name }) },
  {
    name: 'a frozen object that was not prepared',
    of: (name) => keepsDerived(Object.freeze({ name })),
  },
]

for (const { name, of } of OWNERS) {
  describe(`a derived value of ${name}`, () => {
    it('is kept for this object, and for no other', () => {
      const lengths = new Derived<Named, number>()
      const [one, other] = [of('alice'), of('alice')]
      lengths.set(one, 5)
      assert.deepEqual([lengths.get(one), lengths.get(other)], [5, undefined])
    })

    it('is not the value that something else derived', () => {
      const [lengths, initials] = [new Derived<Named, number>(), new Derived<Named, string>()]
      const owner = of('alice')
      lengths.set(owner, 5)
      assert.equal(initials.get(owner), undefined)
      initials.set(owner, 'a')
      assert.deepEqual([lengths.get(owner), initials.get(owner)], [5, 'a'])
    })

    it('is replaced', () => {
      const lengths = new Derived<Named, number>()
      const owner = of('alice')
      lengths.set(owner, 4)
      lengths.set(owner, 5)
      assert.equal(lengths.get(owner), 5)
    })

    it('is not in a copy of the object', () => {
      const lengths = new Derived<Named, number>()
      const owner = of('alice')
      lengths.set(owner, 5)
      assert.equal(lengths.get({ ...owner, name: 'bob' }), undefined)
      assert.equal(lengths.get(Object.assign({}, owner)), undefined)
      assert.equal(lengths.get(structuredClone(owner)), undefined)
    })

    it('is shown by no comparison and no serialization', () => {
      const owner = of('alice')
      new Derived<Named, string>().set(owner, 'secret')
      assert.deepEqual(owner, { name: 'alice' })
      assert.equal(JSON.stringify(owner), '{"name":"alice"}')
    })
  })
}

describe('an object that keeps what follows from it', () => {
  it('is bounded, however many configurations it outlives', () => {
    const owner = keepsDerived({ name: 'alice' })
    const all = Array.from({ length: 1_000 }, () => new Derived<Named, object>())
    for (const derived of all) derived.set(owner, {})
    const kept = all.filter((derived) => derived.get(owner) !== undefined)
    assert.ok(kept.length > 0 && kept.length <= 16, `${kept.length}`)
    assert.notEqual(all.at(-1)?.get(owner), undefined)
  })

  it('is prepared once', () => {
    const lengths = new Derived<Named, number>()
    const owner = keepsDerived({ name: 'alice' })
    lengths.set(owner, 5)
    assert.equal(lengths.get(keepsDerived(owner)), 5)
  })
})

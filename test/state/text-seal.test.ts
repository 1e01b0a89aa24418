// Texts that a browser keeps for us: they open where they belong, as they were, and nowhere else.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { TextSeal } from '../../src/state/text-seal.ts'

const keysOf = (byte: number): DerivedKeys => new DerivedKeys(Buffer.alloc(32, byte))

const seal = new TextSeal(keysOf(7), 'a purpose')

describe('a sealed text', () => {
  it('opens for its place, in another process too', () => {
    for (const text of ['', 'x', '{"user":"ü €"}', 'x'.repeat(10_000)]) {
      const sealed = seal.seal('a place', text)
      assert.match(sealed, /^[\w-]+$/)
      assert.equal(seal.open('a place', sealed), text)
      assert.equal(new TextSeal(keysOf(7), 'a purpose').open('a place', sealed), text)
    }
  })

  it('opens for no other place, purpose or secret', () => {
    const sealed = seal.seal('a place', 'text')
    assert.equal(seal.open('another', sealed), undefined)
    assert.equal(new TextSeal(keysOf(7), 'another').open('a place', sealed), undefined)
    assert.equal(new TextSeal(keysOf(8), 'a purpose').open('a place', sealed), undefined)
  })

  it('does not open with a bit changed, cut, or longer than it was', () => {
    const sealed = seal.seal('a place', 'some text')
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = `${sealed.slice(0, index)}${sealed[index] === 'A' ? 'B' : 'A'}${sealed.slice(index + 1)}`
      assert.equal(seal.open('a place', changed), undefined, `character ${index}`)
      assert.equal(seal.open('a place', sealed.slice(0, index)), undefined)
    }
    assert.equal(seal.open('a place', `${sealed}AAAA`), undefined)
    assert.equal(seal.open('a place', 'not base64url!'), undefined)
  })

  it('shows nothing of what it says, and is each time another', () => {
    const [one, other] = [seal.seal('a place', 'a secret'), seal.seal('a place', 'a secret')]
    assert.notEqual(one, other)
    assert.doesNotMatch(Buffer.from(one, 'base64url').toString('latin1'), /secret/)
  })
})

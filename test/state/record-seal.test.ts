// Sealed texts: what opens them, and that nothing else does.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RecordSeal } from '../../src/state/record-seal.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { secretOf } from './sealing.ts'

const [old, next] = [newStateKeyLine(), newStateKeyLine()]

describe('a sealed text', () => {
  const seal = new RecordSeal(secretOf(old))

  it('opens in its place', () => {
    for (const text of ['', 'x', 'a\0b\r\n', 'jürgen 密码 😀', 'x'.repeat(1_000_000)]) {
      assert.ok(seal.open('here', seal.seal('here', text)) === text)
    }
  })

  it('opens in no other place', () => {
    for (const place of ['', 'Here', 'here ', 'here\u0001', 'her', 'there']) {
      assert.equal(seal.open(place, seal.seal('here', 'x')), undefined, place)
    }
  })

  it('is another each time, and shows nothing of what it holds but its length', () => {
    const sealed = Array.from({ length: 100 }, () => seal.seal('here', 'the very secret'))
    assert.equal(new Set(sealed).size, 100)
    for (const text of sealed) {
      assert.match(text, /^[\w-]+$/)
      assert.ok(!Buffer.from(text, 'base64url').includes('secret'))
      assert.equal(text.length, sealed[0]?.length)
    }
  })

  it('does not open when any bit of it has changed, or any of it is missing (hostile)', () => {
    const bytes = Buffer.from(seal.seal('here', 'the text'), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(seal.open('here', changed.toString('base64url')), undefined, `bit ${bit}`)
    }
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.toString('base64url', 0, length)
      assert.equal(seal.open('here', cut), undefined, `${length} bytes`)
    }
    assert.equal(seal.open('here', 'no base64 at all!'), undefined)
    assert.equal(seal.open('here', ''), undefined)
  })
})

describe('a keyring that changes', () => {
  const before = new RecordSeal(secretOf(old))
  const knowing = new RecordSeal(secretOf(old, next))
  const changed = new RecordSeal(secretOf(next, old))
  const after = new RecordSeal(secretOf(next))

  it('seals with its first key and opens with all', () => {
    const first = before.seal('here', 'x')
    const second = changed.seal('here', 'y')
    assert.deepEqual(
      [before, knowing, changed, after].map((seal) => seal.open('here', first)),
      ['x', 'x', 'x', undefined],
    )
    assert.deepEqual(
      [before, knowing, changed, after].map((seal) => seal.open('here', second)),
      [undefined, 'y', 'y', 'y'],
    )
    assert.equal(before.open('here', knowing.seal('here', 'z')), 'z')
  })
})

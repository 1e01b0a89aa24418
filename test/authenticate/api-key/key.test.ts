// The form of API keys: what is made can be read, and a key that differs in one character is refused.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  hashOf,
  ID,
  newApiKey,
  newKeyId,
  readApiKey,
  readKeyHash,
} from '../../../src/authenticate/api-key/key.ts'

// Made once: secret scanners match this form, and keys that are in use must remain valid.
const FIXED = 'csk_ci-deploy_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg40Z2fu'

describe('an API key', () => {
  it('has the form that secret scanners match', () => {
    for (const id of ['a', 'ci-deploy', '0', 'x'.repeat(63)]) {
      assert.match(newApiKey(id), /^csk_[a-z0-9-]{1,63}_[0-9A-Za-z]{49}$/)
    }
  })

  it('yields its id and its digest when it is read', () => {
    const key = newApiKey('ci-deploy')
    assert.deepEqual(readApiKey(key), {
      id: 'ci-deploy',
      digest: createHash('sha256').update(key).digest(),
    })
  })

  it('is still read in the form of the first release', () =>
    assert.equal(readApiKey(FIXED)?.id, 'ci-deploy'))

  it('differs each time it is made', () => {
    const keys = new Set(Array.from({ length: 200 }, () => newApiKey('a')))
    assert.equal(keys.size, 200)
    const ids = Array.from({ length: 200 }, newKeyId)
    assert.equal(new Set(ids).size, 200)
    for (const id of ids) assert.match(id, ID)
  })

  it('uses all letters and digits equally often', () => {
    const counts = new Map<string, number>()
    for (let round = 0; round < 1_000; round++) {
      for (const letter of newApiKey('a').slice(6, 49)) {
        counts.set(letter, (counts.get(letter) ?? 0) + 1)
      }
    }
    // 43,000 / 62 is 694 each, with a standard deviation of 26.
    assert.equal(counts.size, 62)
    for (const [letter, count] of counts) assert.ok(count > 500 && count < 900, letter)
  })
})

describe('no API key is', () => {
  const key = FIXED
  const CASES: readonly { name: string; text: string }[] = [
    { name: 'nothing', text: '' },
    { name: 'a prefix', text: 'csk_' },
    { name: 'a key cut short', text: key.slice(0, -1) },
    { name: 'a key with more', text: `${key}0` },
    { name: 'a key with a line feed', text: `${key}\n` },
    { name: 'a key with space', text: ` ${key}` },
    { name: 'two keys', text: `${key},${key}` },
    { name: 'a key of another prefix', text: key.replace('csk', 'ghp') },
    { name: 'a key in upper case', text: key.toUpperCase() },
    { name: 'a key whose id was changed', text: key.replace('ci-deploy', 'ci-destroy') },
    { name: 'a key without an id', text: key.replace('ci-deploy', '') },
    { name: 'an id that begins with "-"', text: newApiKey('-a') },
    { name: 'an id in upper case', text: newApiKey('CI') },
    { name: 'an id with "_"', text: newApiKey('a_b') },
    { name: 'an id that is too long', text: newApiKey('x'.repeat(64)) },
    { name: 'sixty kilobytes', text: `csk_${'a'.repeat(60_000)}` },
    { name: 'letters that are not ASCII', text: key.replace('0', '٠') },
  ]
  for (const { name, text } of CASES) {
    it(`is not read from ${name}`, () => assert.equal(readApiKey(text), undefined))
  }

  it('one that differs in any one character', () => {
    for (let at = 0; at < key.length; at++) {
      for (const letter of ['a', 'B', '7', '_']) {
        if (key[at] === letter) continue
        const text = key.slice(0, at) + letter + key.slice(at + 1)
        assert.equal(readApiKey(text), undefined, text)
      }
    }
  })

  it('one with two neighbours exchanged', () => {
    for (let at = 0; at + 1 < key.length; at++) {
      const [a = '', b = ''] = key.slice(at, at + 2)
      if (a === b) continue
      const text = key.slice(0, at) + b + a + key.slice(at + 2)
      assert.equal(readApiKey(text), undefined, text)
    }
  })
})

describe('a stored hash', () => {
  it('is the SHA-256 of the whole key', () => {
    const stored = hashOf(FIXED)
    assert.match(stored, /^sha256:[0-9a-f]{64}$/)
    assert.deepEqual(readKeyHash(stored), readApiKey(FIXED)?.digest)
  })

  for (const text of [
    '',
    'sha256:',
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    'a'.repeat(64),
    FIXED,
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(readKeyHash(text), undefined))
  }
})

// Which user names count as the same user.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { countedUser } from '../../../src/authenticate/password/guard.ts'

describe('the key of a user name', () => {
  const SAME: readonly { name: string; names: readonly string[] }[] = [
    { name: 'upper and lower case', names: ['alice', 'Alice', 'ALICE', 'aLiCe'] },
    { name: 'spaces', names: ['alice', ' alice', 'alice  ', '\u00a0alice\u3000'] },
    { name: 'spaces within', names: ['alice smith', 'alice  smith', 'alice\u2003smith'] },
    { name: 'accents', names: ['jürgen', 'ju\u0308rgen', 'jurgen', 'JÜRGEN'] },
    { name: 'width', names: ['alice', 'ａｌｉｃｅ', 'ＡＬＩＣＥ'] },
    {
      name: 'invisible characters',
      names: ['alice', 'a\u00adlice', 'ali\u200bce', 'alice\ufe0f', '\u2060alice'],
    },
    { name: 'what lower case alone does not make equal', names: ['straße', 'STRASSE', 'STRAẞE'] },
    { name: 'Turkish capitals', names: ['ivan', 'İvan'] },
    { name: 'the Kelvin sign', names: ['kate', '\u212aate'] },
    { name: 'the Greek final sigma', names: ['ΝΙΚΟΣ', 'νικος', 'νικοσ'] },
    { name: 'ligatures', names: ['fink', 'ﬁnk'] },
  ]
  for (const { name, names } of SAME) {
    it(`is the same despite ${name}`, () => {
      assert.deepEqual(new Set(names.map(countedUser)).size, 1, names.map(countedUser).join())
    })
  }

  it('differs for another user', () => {
    const others = ['alice', 'alice1', 'bob', 'alice@example.org', 'EXAMPLE\\alice', 'al ice', '*']
    assert.equal(new Set(others.map(countedUser)).size, others.length)
  })

  it('has itself as its key', () => {
    for (const { names } of SAME) {
      for (const each of names) assert.equal(countedUser(countedUser(each)), countedUser(each))
    }
  })
})

// Which word was meant.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { didYouMean, nearest } from '../../src/config/suggestion.ts'

const KEYS = ['authenticate', 'authorize', 'allow', 'deny', 'paths', 'subjectAltName', 'ca']

describe('the nearest key', () => {
  const CASES: readonly { word: string; want: string | undefined }[] = [
    { word: 'authenticatr', want: 'authenticate' },
    { word: 'authorise', want: 'authorize' },
    { word: 'path', want: 'paths' },
    { word: 'dney', want: 'deny' },
    { word: 'Allow', want: 'allow' },
    { word: 'subject_alt_name', want: 'subjectAltName' },
    { word: 'groups', want: undefined },
    { word: 'cb', want: undefined },
    { word: '', want: undefined },
    { word: 'a'.repeat(100_000), want: undefined },
  ]
  for (const { word, want } of CASES) {
    it(`of ${word.slice(0, 20)} is ${want}`, () => {
      assert.equal(nearest(word, KEYS), want)
    })
  }

  it('is the one with the fewest slips, wherever it is in the list', () => {
    assert.equal(nearest('verb', ['herbs', 'verbs']), 'verbs')
  })

  it('is a question, or nothing', () => {
    assert.equal(didYouMean('path', KEYS), '; did you mean "paths"?')
    assert.equal(didYouMean('groups', KEYS), '')
  })
})

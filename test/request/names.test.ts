// Names and globs.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameMatcher, pathMatcher } from '../../src/request/names.ts'

describe('nameMatcher', () => {
  const CASES: readonly {
    patterns: readonly string[]
    yes: readonly string[]
    no: readonly string[]
  }[] = [
    { patterns: [], yes: [], no: ['', 'a'] },
    { patterns: ['alice'], yes: ['alice'], no: ['Alice', 'alice ', 'alic', 'alice2', ''] },
    { patterns: ['alice', 'bob'], yes: ['alice', 'bob'], no: ['alicebob', 'carol'] },
    { patterns: ['*'], yes: ['', 'a', 'a\nb', '😀'], no: [] },
    { patterns: ['dev-*'], yes: ['dev-', 'dev-a', 'dev-a-b'], no: ['dev', 'xdev-a', 'DEV-a'] },
    { patterns: ['*-admin'], yes: ['-admin', 'a-admin'], no: ['a-admins', 'admin'] },
    { patterns: ['a*c'], yes: ['ac', 'abc', 'abcc'], no: ['abcd', 'a', 'bac'] },
    { patterns: ['a**c'], yes: ['ac', 'abc'], no: ['ab'] },
    { patterns: ['a*a'], yes: ['aa', 'aba'], no: ['a'] },
    { patterns: ['alice', 'dev-*'], yes: ['alice', 'dev-a'], no: ['alice-dev-a'] },
    // Names from elsewhere may hold anything: nothing in them is a pattern, and nothing but "*" is
    // in a pattern.
    { patterns: ['a.c'], yes: ['a.c'], no: ['abc'] },
    { patterns: ['CN=*,O=a+(b)'], yes: ['CN=x,O=a+(b)'], no: ['CN=x,O=aab'] },
    {
      patterns: ['^a$', '[ab]*', 'a|b*', 'x?*'],
      yes: ['^a$', '[ab]c', 'a|bc', 'x?'],
      no: ['a', 'ac', 'x', 'b'],
    },
    { patterns: ['alice'], yes: [], no: ['*', 'al*', '.*'] },
    { patterns: ['😀*'], yes: ['😀', '😀x'], no: ['\ud83d', 'x'] },
  ]
  for (const { patterns, yes, no } of CASES) {
    it(`matches names by ${JSON.stringify(patterns)}`, () => {
      const matches = nameMatcher(patterns)
      for (const name of yes) assert.ok(matches(name), `should match ${JSON.stringify(name)}`)
      for (const name of no) assert.ok(!matches(name), `should not match ${JSON.stringify(name)}`)
    })
  }
})

describe('pathMatcher', () => {
  it('matches any of its globs', () => {
    const matches = pathMatcher(['/api/**', '/healthz'])
    assert.ok(matches('/api'))
    assert.ok(matches('/api/v1'))
    assert.ok(matches('/healthz'))
    assert.ok(!matches('/healthz/x'))
    assert.ok(!matches('/'))
  })

  it('matches nothing without globs', () => assert.ok(!pathMatcher([])('/')))
})

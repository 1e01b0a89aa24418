// Host patterns.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostMatcher } from '../../src/request/hosts.ts'

describe('hostMatcher', () => {
  it('takes every host for "*"', () => assert.ok(hostMatcher(['a.example', '*'])('x')))
  it('takes none for nothing', () => assert.ok(!hostMatcher([])('x')))
  it('takes "." for itself', () => assert.ok(!hostMatcher(['a.example'])('axexample')))
})

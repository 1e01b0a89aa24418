// Header lists that an identity has in each answer are encoded once; nothing else may depend on that.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AllowAnswer } from '../../src/check/answer/answer.ts'
import { encodeCheckResponse } from '../../src/check/codec.ts'

const GROUPS = Array.from({ length: 500 }, (_, index) => `group-${index}`)

const ANSWER: AllowAnswer = {
  allow: true,
  setHeaders: [['x-remote-user', 'alice']],
  removeHeaders: [],
  responseHeaders: [],
  repeatedHeaders: [{ name: 'x-remote-group', values: GROUPS }],
}

describe('a list of header lines that was encoded before', () => {
  it('is encoded as a new list is', () => {
    const want = encodeCheckResponse({ ...ANSWER, repeatedHeaders: [...ANSWER.repeatedHeaders] })
    for (let round = 0; round < 3; round++) assert.deepEqual(encodeCheckResponse(ANSWER), want)
  })

  it('is encoded with another header and another secret', () => {
    encodeCheckResponse(ANSWER)
    const other = {
      ...ANSWER,
      setHeaders: [['x-remote-user', 'bob']],
      upstreamSecret: 's',
    } as const
    const fresh = { ...other, repeatedHeaders: [...ANSWER.repeatedHeaders] }
    assert.deepEqual(encodeCheckResponse(other), encodeCheckResponse(fresh))
  })

  it('is not used for another list', () => {
    const whole = encodeCheckResponse(ANSWER)
    const other = { ...ANSWER, repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'b'] }] }
    assert.ok(encodeCheckResponse(other).length < whole.length)
    assert.deepEqual(encodeCheckResponse(ANSWER), whole)
  })
})

import assert from 'node:assert/strict'
import { STATUS_CODES } from 'node:http'
import { test } from 'node:test'
import { REASON_PHRASES } from '../../../src/runtime/http/reason-phrases.ts'

test('has the phrase of every redirect and error that Node has', () => {
  const refusals = Object.entries(STATUS_CODES).filter(([status]) => Number(status) >= 300)
  assert.deepEqual(
    [...REASON_PHRASES],
    refusals.map(([status, phrase]) => [Number(status), phrase]),
  )
})

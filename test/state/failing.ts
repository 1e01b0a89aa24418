// How stores of state fail.

import assert from 'node:assert/strict'
import { CountersignError } from '../../src/runtime/errors.ts'

/** A predicate for `assert.rejects`: an error of Countersign with this code and reason. */
export const failing = (code: string, reason: RegExp) => (cause: unknown) => {
  assert.ok(cause instanceof CountersignError, String(cause))
  assert.equal(cause.code, code)
  assert.match(cause.message, reason)
  return true
}

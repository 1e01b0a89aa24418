// The one error of everything that reads DER.

import assert from 'node:assert/strict'
import { CountersignError } from '../../src/runtime/errors.ts'

/** For `assert.throws`. */
export const MALFORMED = { name: 'CountersignError', code: 'malformed-certificate' }

/** What was read, or `undefined` when it is malformed; any other failure is a bug. */
export const unlessMalformed = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (cause) {
    assert.ok(cause instanceof CountersignError && cause.code === MALFORMED.code, String(cause))
    return undefined
  }
}

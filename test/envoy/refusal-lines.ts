// The lines that Envoy writes of what it refuses by itself.

import assert from 'node:assert/strict'
import type { JsonObject } from '../../src/runtime/json-object.ts'
import { eventually } from '../e2e/site.ts'

const LONGEST_LINE = 2_048

/** The one line that `cause` leaves. */
export const lineOf = async (
  refusals: () => Promise<readonly JsonObject[]>,
  cause: () => Promise<unknown>,
): Promise<JsonObject> => {
  const { length: known } = await refusals()
  await cause()
  const lines = await eventually(refusals, ({ length }) => length > known)
  assert.equal(lines.length, known + 1)
  const line = lines.at(-1) ?? {}
  assert.ok(Buffer.byteLength(JSON.stringify(line)) <= LONGEST_LINE)
  return line
}

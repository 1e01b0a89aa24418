// Waiting for an event that nothing announces: asks until it has happened.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 10
/** Of a machine under load. A wait without a limit would keep a failed test from ending. */
const LIMIT_MS = 60_000

/**
 * Waits until a condition holds, at most a minute.
 *
 * @param what for the message of the failure; default: the source of the condition
 */
export const until = async (
  isSo: () => boolean | Promise<boolean>,
  what = isSo.toString(),
): Promise<void> => {
  const end = performance.now() + LIMIT_MS
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `not so after ${LIMIT_MS} ms: ${what}`)
    await sleep(POLL_MS)
  }
}

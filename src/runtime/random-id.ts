// Random ids of decisions. `randomUUID` of Node joins twenty texts for each, which are joined again when it is written.

import { randomFillSync } from 'node:crypto'

const BYTES = 16
// Filled at once: some thousand ids for one call into native code.
const POOL_BYTES = 1_024 * BYTES
const HEX = Buffer.from('0123456789abcdef', 'latin1')
// RFC 9562 §4, and where the digits of a byte are in it.
const FORM = '00000000-0000-0000-0000-000000000000'
const PLACES = Uint8Array.from([0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34])

const pool = Buffer.alloc(POOL_BYTES)
const text = Buffer.from(FORM, 'latin1')
let used = POOL_BYTES

/** A random UUID (RFC 9562 §5.4), lower case. */
export const randomId = (): string => {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  for (let at = 0; at < BYTES; at++) {
    let byte = pool[used + at] ?? 0
    if (at === 6) byte = (byte & 0x0f) | 0x40 // version 4
    if (at === 8) byte = (byte & 0x3f) | 0x80 // variant
    const place = PLACES[at] ?? 0
    text[place] = HEX[byte >>> 4] ?? 0
    text[place + 1] = HEX[byte & 0x0f] ?? 0
  }
  used += BYTES
  return text.toString('latin1')
}

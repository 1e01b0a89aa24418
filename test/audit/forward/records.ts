// Records for tests of deliveries.

import type { LogRecord } from '../../../src/audit/forward/log-reader.ts'

/** A record with this line. */
export const record = (text: string, sequence = 1): LogRecord => ({
  line: Buffer.from(text),
  chain: 'k3Vn0QyPz1aB',
  sequence,
  hash: 'A'.repeat(43),
  offset: text.length,
})

/** The line of a decision. */
export const EVENT =
  '{"log":"audit","time":"2026-11-28T12:00:00.123Z","event":"decision","user":"älice","id":"x"}'

/** For calls that nothing aborts. */
export const never = new AbortController().signal

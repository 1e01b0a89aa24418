// The records that the writer of the log makes itself, about the log.

import * as z from 'zod'
import type { Frozen } from './frozen.ts'

const text = z.string()

/** A record, by its place in the chain. */
const head = z.strictObject({
  seq: z.int().describe('Its sequence number.'),
  hash: text.describe('Its hash.'),
})

/** Bytes in the log that are not a record. */
const cut = z.strictObject({
  bytes: z.int().describe('How many bytes.'),
  hash: text.describe('Their SHA-256, base64url.'),
})

/** A file was opened, or continues after a failed write. */
export const logOpenedEvent = z
  .strictObject({
    event: z.literal('log-opened'),
    cause: z
      .enum(['start', 'reopened', 'rotated', 'write-failed'])
      .describe(
        'Why: the process started; the file was opened anew at SIGUSR2 or SIGHUP; the file before was rotated (`audit.rotate`); or writes failed, and this is the first record after them.',
      ),
    writer: z.enum(['authz', 'signer']).describe('The process.'),
    host: text.describe('The name of its machine or container.'),
    pid: z.int().describe('Its process id.'),
    offset: z
      .int()
      .optional()
      .describe('The size of the file before this record. Absent on standard output.'),
    previous: head
      .optional()
      .describe(
        'The record before this one, which may be in another file. Absent where the chain begins.',
      ),
    cut: z
      .array(cut)
      .optional()
      .describe(
        'Incomplete lines that a crash or a failed write left, each before this record. None of them was acknowledged.',
      ),
    lost: z.int().optional().describe('Events whose write failed before this record.'),
  })
  .describe(
    'The log was opened or continues: the first record of each file. It links the file to the one before.',
  )

/** The chain until here, signed. */
export const logCheckpointEvent = z
  .strictObject({
    event: z.literal('log-checkpoint'),
    signed: head.describe('The record before this one, whose hash is signed.'),
    interval: z
      .int()
      .describe(
        'In milliseconds: the next checkpoint follows within this time after the next record.',
      ),
    key: text.describe(
      'The key: SHA-256 of its SubjectPublicKeyInfo, base64url, as `countersign audit public-key` prints it.',
    ),
    signature: text.describe(
      'base64url, of the lines `countersign audit checkpoint`, `chain`, `signed.seq`, `signed.hash` and `interval`, each with a line feed. ECDSA: DER, SHA-256 for P-256, SHA-384 for P-384.',
    ),
  })
  .describe('A signature over all records of the chain until here (`audit.checkpoints`).')

/** Records that a sink does not get. */
export const recordsSkippedEvent = z
  .strictObject({
    event: z.literal('records-skipped'),
    sink: text.describe('The name in `audit.sinks`.'),
    cause: z
      .enum(['deleted', 'refused'])
      .describe(
        'Why: `deleted`, the rotated file was deleted before the sink had it (`whenFull: drop-oldest`); `refused`, the sink takes other records and refuses this one. It is in this log.',
      ),
    records: z
      .strictObject({
        chain: text.describe('Their chain.'),
        first: z.int().describe('The number of the first.'),
        last: z.int().describe('The number of the last.'),
      })
      .describe('Which records.'),
    detail: text.optional().describe('What the sink answered.'),
  })
  .describe('A sink does not get these records (`audit.sinks`). The sink gets this event.')

/** The chain until here, signed. */
export type LogCheckpointEvent = Frozen<z.output<typeof logCheckpointEvent>>
/** A file was opened, or continues after a failed write. */
export type LogOpenedEvent = Frozen<z.output<typeof logOpenedEvent>>
/** Bytes in the log that are not a record. */
export type CutLine = Frozen<z.output<typeof cut>>
/** Records that a sink does not get. */
export type RecordsSkippedEvent = Frozen<z.output<typeof recordsSkippedEvent>>

// `audit` of authz: where events go, and how much of the log clients may fill that have not authenticated.

import * as z from 'zod'
import { durationSchema, pathSchema } from '../config/values.ts'
import {
  checkpointsSchema,
  hasFileToRotate,
  NO_FILE_TO_ROTATE,
  rotateSchema,
} from './file-schema.ts'
import { hasSpool, NO_SPOOL, sinksSchema, spoolSchema } from './forward/schema.ts'

const KILOBYTE = 1024
const MEGABYTE = 1024 * KILOBYTE
// Two events of such clients at least, which have 2 KB at most.
const LEAST_BURST = 4 * KILOBYTE

const rate = (burst: number, perSecond: number) =>
  z
    .strictObject({
      burst: z
        .int()
        .min(LEAST_BURST)
        .default(burst)
        .describe('Bytes at once (the size of the token bucket).'),
      perSecond: z.int().min(1).default(perSecond).describe('Bytes a second in the long run.'),
    })
    .prefault({})

const budget = z
  .strictObject({
    source: rate(MEGABYTE, 2 * KILOBYTE).describe(
      'The budget of one source: an IPv4 address, or an IPv6 /64; an IPv6 /48 has four times as much. An event takes some 500 bytes, 2 KB at most.',
    ),
    total: rate(16 * MEGABYTE, 16 * KILOBYTE).describe(
      'The budget of all sources together. The default is 1.4 GB a day.',
    ),
    summaryInterval: durationSchema
      .prefault('30s')
      .refine((interval) => interval >= 1_000 && interval <= 3_600_000, 'must be 1s to 1h')
      .describe(
        'How long refusals are counted before their summary is written. A crash loses the counts since the last summary; the end of the process and a signal to reopen the file write it at once.',
      ),
  })
  .prefault({})

/** The `audit` section. */
export const auditSchema = z
  .strictObject({
    file: pathSchema
      .optional()
      .describe(
        'JSON lines are appended here (reopened on SIGUSR2 and on SIGHUP). Default: standard output.',
      ),
    rotate: rotateSchema.optional(),
    checkpoints: checkpointsSchema.optional(),
    sinks: sinksSchema.optional(),
    spool: spoolSchema,
    query: z
      .enum(['full', 'names', 'none'])
      .default('names')
      .describe(
        'How much of the query string is recorded: `names` omits the values, `none` omits everything. `full` omits the values of parameters that hold credentials by a standard or by their name (`access_token`, `code`, `id_token_hint`, `SAMLResponse`, `key`, `sig` and similar).',
      ),
    unauthenticated: z
      .union([z.literal('unlimited'), budget])
      .prefault({})
      .describe(
        'How much of the log refusals of unauthenticated clients may take. Beyond it they are counted by source, and a `refusals-summary` is written. Wrong passwords have a budget of the same size for themselves, so that a flood of other refusals does not hide password guessing. `unlimited`: each refusal has its own event, and such clients can fill the disk.',
      ),
  })
  .refine(hasFileToRotate, NO_FILE_TO_ROTATE)
  .refine(hasSpool, NO_SPOOL)
  .prefault({})
  .describe('Where audit events go.')

/** The `audit` section: durations in milliseconds. */
export type AuditConfig = z.output<typeof auditSchema>

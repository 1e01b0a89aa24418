// The keys of `audit` that authz and the signer have in common: rotation and signed checkpoints of the audit file.

import * as z from 'zod'
import { durationSchema, secretSchema } from '../config/values.ts'

const LEAST_SIZE = 65_536
const MINUTE = 60_000

/** `audit.rotate`. */
export const rotateSchema = z
  .strictObject({
    size: z
      .int()
      .min(LEAST_SIZE)
      .optional()
      .describe('Rotate before the file is larger than this, in bytes.'),
    every: durationSchema
      .refine((every) => every >= MINUTE, 'must be 1m or more')
      .optional()
      .describe(
        'Rotate at each multiple of this time since 1970 in UTC: `1d` is midnight, `1h` the full hour. A file without events is not rotated.',
      ),
    keep: z
      .int()
      .min(1)
      .optional()
      .describe('How many rotated files are kept; older ones are deleted. Default: all.'),
    gzip: z
      .boolean()
      .default(false)
      .describe('Whether rotated files are compressed, outside of the event loop.'),
  })
  .refine(({ size, every }) => size !== undefined || every !== undefined, 'needs size or every')
  .describe(
    'Rotation by the process itself, in place of logrotate: the file is renamed to `NAME-20261128T041500Z-000042`, with the time in UTC and a number that counts up. No event is lost, and the hash chain continues in the next file.',
  )

/** `audit.checkpoints`. */
export const checkpointsSchema = z
  .strictObject({
    key: secretSchema.describe(
      'The private key, in PEM: Ed25519, or EC P-256 or P-384. `countersign audit public-key` prints the public key. A file that other users may read is refused. Read at the start, at SIGUSR2 and at SIGHUP.',
    ),
    every: durationSchema
      .prefault('1m')
      .refine((every) => every >= 1_000 && every <= 86_400_000, 'must be 1s to 1d')
      .describe('How often a checkpoint is written, where there are new events.'),
  })
  .describe(
    'Signed checkpoints: at intervals, at the start and at the end of each file, a `log-checkpoint` signs the hash of the record before it. Each is in the operational log, too.',
  )

/** `audit.rotate`: durations in milliseconds. */
export type RotateConfig = z.output<typeof rotateSchema>
/** `audit.checkpoints`: durations in milliseconds. */
export type CheckpointsConfig = z.output<typeof checkpointsSchema>

/** What `rotate` needs. */
export const hasFileToRotate = ({
  file,
  rotate,
}: {
  readonly file?: unknown
  readonly rotate?: unknown
}): boolean => rotate === undefined || file !== undefined

/** The problem of {@link hasFileToRotate}. */
export const NO_FILE_TO_ROTATE = { message: 'needs "file"', path: ['rotate'] }

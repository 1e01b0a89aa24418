// Opens an audit log as it is configured, for authz and for the signer.

import type { Logger } from '../runtime/logger.ts'
import { Checkpoints } from './checkpoints.ts'
import type { CheckpointsConfig, RotateConfig } from './file-schema.ts'
import type { LogWriter } from './opening.ts'
import { Rotation } from './rotation.ts'
import { JsonLinesSink } from './sink.ts'

/** The part of `audit` that both processes have. */
export interface AuditFileConfig {
  readonly file?: string | undefined
  readonly rotate?: RotateConfig | undefined
  readonly checkpoints?: CheckpointsConfig | undefined
}

/**
 * Opens it.
 *
 * @throws CountersignError `audit-unwritable`; `file-unreadable`, `file-exposed` or `audit-key-unusable` for the key of checkpoints
 */
export const openAudit = async (
  { file, rotate, checkpoints }: AuditFileConfig,
  writer: LogWriter,
  logger: Logger,
): Promise<JsonLinesSink> =>
  new JsonLinesSink(file, {
    writer,
    rotation: rotate && file !== undefined ? new Rotation(file, rotate, logger) : undefined,
    checkpoints: checkpoints && (await Checkpoints.open(checkpoints, logger)),
  })

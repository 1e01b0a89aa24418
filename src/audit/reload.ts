// What SIGHUP and SIGUSR2 do, in authz and in the signer: the audit file opened anew; by SIGHUP the configuration read again,
// too.

import type { Reloader } from '../config/reload.ts'
import type { Logger } from '../runtime/logger.ts'

interface ReopenableAudit {
  renewKey(): Promise<void>
  reopen(): void
}

/** Opens the audit file anew, and reads the key of its checkpoints; keeps the old of whatever fails. Never rejects. */
export const reopenAudit = async (audit: ReopenableAudit, logger: Logger): Promise<void> => {
  await audit.renewKey()
  try {
    audit.reopen()
  } catch (cause) {
    logger.error({ err: cause }, 'audit file not reopened, the old one stays in use')
  }
}

/** Reopens and reloads; keeps the old of whatever fails. Never rejects. */
export const reopenAndReload = async (
  audit: ReopenableAudit,
  reloader: Pick<Reloader<unknown>, 'reload'>,
  logger: Logger,
): Promise<void> => {
  await reopenAudit(audit, logger)
  await reloader.reload()
}

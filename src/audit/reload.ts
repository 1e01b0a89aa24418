// What SIGHUP does, in authz and in the signer: the audit file opened anew, the configuration read again.

import type { Reloader } from '../config/reload.ts'
import type { Logger } from '../runtime/logger.ts'

/** Reopens and reloads; keeps the old of whatever fails. Never rejects. */
export const reopenAndReload = async (
  audit: { renewKey(): Promise<void>; reopen(): void },
  reloader: Pick<Reloader<unknown>, 'reload'>,
  logger: Logger,
): Promise<void> => {
  await audit.renewKey()
  try {
    audit.reopen()
  } catch (cause) {
    logger.error({ err: cause }, 'audit file not reopened, the old one stays in use')
  }
  await reloader.reload()
}

// The log lines of identity mappings, which operators need to see.

import type { Logger } from '../runtime/logger.ts'
import type { MappingReport } from './mapping.ts'

/** Logs what operators have to know of identities: which expression failed, what was cut. */
export const mappingReport =
  (authenticator: string, logger: Logger): MappingReport =>
  (result) => {
    if (result.outcome === 'refused') {
      const { code: reason, detail } = result
      logger.warn({ authenticator, reason, detail }, 'identity refused')
    } else {
      const { groupsOmitted, groups } = result.identity
      logger.warn({ authenticator, groupsOmitted, groups: groups.length }, 'groups omitted')
    }
  }

// The identity mapping of a configured authenticator. The service and `countersign test` both take
// it from here, so that what was tested is what decides.

import type { AuthenticatorConfig } from './schema.ts'
import { IdentityMapping, type MappingReport } from '../identity/mapping.ts'
import type { Logger } from '../runtime/logger.ts'

/** Makes the mapping. */
export const mappingOf = (
  name: string,
  { allowReserved, identity }: Pick<AuthenticatorConfig, 'allowReserved' | 'identity'>,
  report?: MappingReport,
): IdentityMapping => new IdentityMapping(name, { allowReserved, identity }, report)

/** Logs what operators have to know of identities: which expression failed, what was cut. */
export const mappingReport =
  (authenticator: string, logger: Logger): MappingReport =>
  (result) => {
    if (result.outcome === 'refused') {
      const { code: reason, detail } = result
      logger.warn({ authenticator, reason, detail }, 'identity refused')
    } else {
      const { groupsCut, groups } = result.identity
      logger.warn({ authenticator, groupsCut, groups: groups.length }, 'groups cut off')
    }
  }

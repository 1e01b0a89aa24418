// The identity mapping of a configured authenticator. The service and `countersign test` both take
// it from here, so that what was tested is what decides.

import type { AuthenticatorConfig } from './schema.ts'
import { IdentityMapping, type MappingReport } from '../identity/mapping.ts'

/** Makes the mapping. */
export const mappingOf = (
  name: string,
  { allowReserved, identity }: Pick<AuthenticatorConfig, 'allowReserved' | 'identity'>,
  report?: MappingReport,
): IdentityMapping => new IdentityMapping(name, { allowReserved, identity }, report)

// The configured authenticators, built, each with its identity mapping.

import type { ChainLink } from './chain.ts'
import { mappingReport, IdentityMapping, type MappingReport } from '../identity/mapping.ts'
import { kindOf } from './kinds.ts'
import type { AuthenticatorParts } from './parts.ts'
import type { AuthenticatorConfig } from './schema.ts'

/** Builds one entry of `authenticators`; `undefined` when there are problems with it. */
export const buildLink = async (
  name: string,
  config: AuthenticatorConfig,
  parts: AuthenticatorParts,
): Promise<ChainLink | undefined> => {
  const credentialCache = parts.credentialCache.scopeOf(name)
  const { kind, section } = kindOf(config)
  const authenticator = await kind.build(name, section, { ...parts, credentialCache })
  const mapping = mappingOf(name, config, mappingReport(name, parts.logger))
  return authenticator && { authenticator, mapping }
}

/** The identity mapping. The service and `countersign test` use this one. */
export const mappingOf = (
  name: string,
  { allowReserved, identity }: Pick<AuthenticatorConfig, 'allowReserved' | 'identity'>,
  report?: MappingReport,
): IdentityMapping => new IdentityMapping(name, { allowReserved, identity }, report)

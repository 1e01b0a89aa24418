// The configured authenticators, built: one file for each kind that needs more than its options.

import { anonymousAuthenticator } from './anonymous.ts'
import type { Authenticator } from './authenticator.ts'
import type { ChainLink } from './chain.ts'
import type { AuthenticatorConfig } from './schema.ts'
import { buildApiKey } from './api-key/build.ts'
import { buildBasic } from './password/build.ts'
import { buildBearer } from './bearer/build.ts'
import { buildCertificate } from './certificate/build.ts'
import { buildIntrospection } from './introspection/build.ts'
import { mappingOf } from './mapping.ts'
import { mappingReport } from '../identity/mapping-report.ts'
import type { AuthenticatorParts } from './parts.ts'
import { buildSession } from './session/build.ts'
import { buildTokenReview } from './token-review/build.ts'

/** Builds one entry of `authenticators`; `undefined` when there are problems with it. */
export const buildLink = async (
  name: string,
  config: AuthenticatorConfig,
  parts: AuthenticatorParts,
): Promise<ChainLink | undefined> => {
  const memory = parts.memory.scopeOf(name)
  const authenticator = await build(name, config, { ...parts, memory })
  const mapping = mappingOf(name, config, mappingReport(name, parts.logger))
  return authenticator && { authenticator, mapping }
}

const build = async (
  name: string,
  {
    basic,
    bearer,
    introspection,
    tokenReview,
    apiKey,
    certificate,
    session,
    anonymous,
  }: AuthenticatorConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> => {
  if (basic !== undefined) return await buildBasic(name, basic, parts)
  if (bearer !== undefined) return await buildBearer(name, bearer, parts)
  if (introspection !== undefined) return await buildIntrospection(name, introspection, parts)
  if (tokenReview !== undefined) return await buildTokenReview(name, tokenReview, parts)
  if (apiKey !== undefined) return await buildApiKey(name, apiKey, parts)
  if (certificate !== undefined) return await buildCertificate(name, certificate, parts)
  if (session !== undefined) return buildSession(name, session, parts)
  if (anonymous !== undefined) return anonymousAuthenticator(name, anonymous)
  throw new TypeError('an authenticator of no kind') // the schema refuses it
}

// The configured authenticators, built: one file for each kind that needs more than its options.

import { anonymousAuthenticator } from '../../authenticate/anonymous.ts'
import type { Authenticator } from '../../authenticate/authenticator.ts'
import type { ChainLink } from '../../authenticate/chain.ts'
import type { AuthenticatorConfig } from '../../config/authenticator-schema.ts'
import { IdentityMapping } from '../../identity/mapping.ts'
import { buildBasic } from './basic.ts'
import { buildBearer } from './bearer.ts'
import type { AuthenticatorParts } from './parts.ts'

/** Builds one entry of `authenticators`; `undefined` when there are problems with it. */
export const buildLink = async (
  name: string,
  config: AuthenticatorConfig,
  parts: AuthenticatorParts,
): Promise<ChainLink | undefined> => {
  const authenticator = await build(name, config, parts)
  const { identity: expressions, allowReserved } = config
  return (
    authenticator && {
      authenticator,
      mapping: new IdentityMapping(name, { allowReserved, expressions }),
    }
  )
}

const build = async (
  name: string,
  { basic, bearer, anonymous }: AuthenticatorConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> => {
  if (basic !== undefined) return await buildBasic(name, basic, parts)
  if (bearer !== undefined) return await buildBearer(name, bearer, parts)
  if (anonymous !== undefined) return anonymousAuthenticator(name, anonymous)
  throw new TypeError('an authenticator of no kind') // the schema refuses it
}

// The `ldap` section, built.

import { isUsableTls } from '../../../clients/client-tls.ts'
import { isPresentable } from '../../../clients/ldap/requests.ts'
import { resolveReferences } from '../../../config/references.ts'
import type { BuiltVerifier, VerifierParts } from '../built-verifier.ts'
import type { LdapConfig } from './schema.ts'
import { LdapVerifier } from './verifier.ts'

/** Builds the verifier of a directory; `undefined` where there are problems with it. */
export const buildLdap = async (
  config: LdapConfig,
  path: readonly PropertyKey[],
  parts: Pick<VerifierParts, 'files' | 'problems' | 'clock' | 'logger'>,
): Promise<BuiltVerifier | undefined> => {
  const { problems, clock, logger } = parts
  const resolution = await resolveReferences(config, path, parts)
  if (resolution === undefined) return undefined
  const { settings, generation } = resolution
  if (!isUsableTls(config, settings, path, problems)) return undefined
  const { bind } = settings
  if (bind !== undefined && !isPresentable(bind.password.text())) {
    // RFC 4513 §5.1.2
    problems.add([...path, 'bind', 'password'], 'is empty: that would be an unauthenticated bind')
    return undefined
  }
  const verifier = new LdapVerifier(settings, {
    clock,
    report: (server, failure) => {
      if (failure === undefined) logger.info({ server }, 'directory answers again')
      else logger.warn({ server, err: failure }, 'directory failed')
    },
  })
  return {
    verifier,
    generation,
    servers: verifier.servers,
    close: async () => verifier[Symbol.dispose](),
  }
}

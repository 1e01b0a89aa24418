// The `ldap` section, built.

import { isUsableTls } from '../../../clients/client-tls.ts'
import { filterProblem, isPresentable } from '../../../clients/ldap/requests.ts'
import { resolveReferences } from '../../../config/references.ts'
import type { BuiltVerifier, VerifierParts } from '../built-verifier.ts'
import type { ProblemList } from '../../../config/problem-list.ts'
import type { LdapConfig } from './schema.ts'
import { renderFilter } from './template.ts'
import { LdapVerifier } from './verifier.ts'

/** Builds the verifier of a directory; `undefined` where there are problems with it. */
export const buildLdap = async (
  config: LdapConfig,
  path: readonly PropertyKey[],
  parts: Pick<VerifierParts, 'files' | 'problems' | 'durations' | 'clock' | 'logger'>,
): Promise<BuiltVerifier | undefined> => {
  const { problems, durations, clock, logger } = parts
  const hasFilters = areFilters(config, path, problems)
  const resolution = await resolveReferences(config, path, parts)
  if (resolution === undefined || !hasFilters) return undefined
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
    durations,
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

/** Whether each filter is one (RFC 4515), with any user in place of its placeholders; adds a problem for each that is not. */
const areFilters = (
  { search, groups }: LdapConfig,
  path: readonly PropertyKey[],
  problems: ProblemList,
): boolean => {
  const filters: readonly (readonly [readonly string[], string | undefined])[] = [
    [['search', 'filter'], search?.filter],
    [['groups', 'search', 'filter'], groups?.search?.filter],
    [['groups', 'activeDirectory', 'filter'], groups?.activeDirectory?.filter],
  ]
  let all = true
  for (const [place, text] of filters) {
    if (text === undefined) continue
    const problem = filterProblem(renderFilter(text, { user: 'x', dn: 'cn=x' }))
    if (problem === undefined) continue
    problems.add([...path, ...place], `"${text}" is not a filter (RFC 4515): ${problem}`)
    all = false
  }
  return all
}

// The `basic` section, built.

import type { Authenticator } from '../authenticator.ts'
import { basicAuthenticator } from './authenticator.ts'
import { AttemptGuard } from './attempt-guard.ts'
import { unguarded, type GuardRules, type LockOut, type PasswordGuard } from './guard.ts'
import { basicSchema, passwordWait, type BasicConfig, type VerifierConfig } from './schema.ts'
import { AUTHORIZATION } from '../../request/credential-location.ts'
import { digestOf } from '../../runtime/digest.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'
import type { BuiltVerifier, VerifierParts } from './built-verifier.ts'
import { UsersFile } from './users-file.ts'

/** Builds an authenticator for HTTP Basic, with the verifiers that have no problems. */
const buildBasic = async (
  name: string,
  { realm, cacheTtl, verify, bruteForceProtection }: BasicConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator> => {
  const built: BuiltVerifier[] = []
  for (const [index, entry] of verify.entries()) {
    const path = ['authenticators', name, 'basic', 'verify', index]
    const verifier = await buildVerifier(entry, path, parts)
    if (verifier === undefined) continue
    parts.connections.defer(() => verifier.close())
    const kind = entry.ldap === undefined ? 'radius' : 'ldap'
    for (const server of verifier.servers) {
      parts.dependencies.push({ authenticator: name, kind, ...server })
    }
    built.push(verifier)
  }
  const generation = digestOf([
    name,
    realm,
    String(cacheTtl),
    ...built.map((verifier) => verifier.generation),
  ])
  // An Access-Reject does not say whether the user exists.
  const tellsUnknown = verify.every(({ radius }) => radius === undefined)
  return basicAuthenticator({
    name,
    realm,
    verifiers: built.map(({ verifier }) => verifier),
    cacheTtl,
    generation,
    cache: parts.credentialCache,
    clock: parts.clock,
    guard: guardOf(bruteForceProtection, { name, generation, tellsUnknown }, parts),
    distinguishesUnknownUsers: tellsUnknown,
    loginDeadline: passwordWait({ verify }),
  })
}

const guardOf = (
  rules: BasicConfig['bruteForceProtection'],
  about: { readonly name: string; readonly generation: string; readonly tellsUnknown: boolean },
  { state, clock, logger }: AuthenticatorParts,
): PasswordGuard => {
  if (rules === false) return unguarded
  const { name, generation, tellsUnknown } = about
  // Not as "source", by which lines are grouped (runtime/line-limit.ts): an address comes with each request.
  const onLockOut = ({ lasts, source: address, ...lockOut }: LockOut): void =>
    logger.warn(
      {
        authenticator: name,
        ...lockOut,
        address,
        ...(tellsUnknown ? {} : { user: undefined }),
        seconds: lasts / 1_000,
      },
      'lock-out begins',
    )
  return new AttemptGuard({ ...guardRulesOf(rules), name, generation, state, clock, onLockOut })
}

type GuardConfig = Exclude<BasicConfig['bruteForceProtection'], false>

/** The rules of `bruteForceProtection`, in the form of the guard. */
export const guardRulesOf = ({
  userAndSource,
  user,
  source,
  repeats,
  ...further
}: GuardConfig): GuardRules => ({
  ...further,
  userAndSource: paceOf(userAndSource),
  user: paceOf(user),
  source: paceOf(source),
  repeats: { answer: repeats.cacheTtl, once: repeats.countInterval },
})

const paceOf = ({ decay, ...pace }: GuardConfig['user']) => ({ ...pace, forget: decay })

/**
 * Builds one entry of `basic.verify`; `undefined` where there are problems with it.
 *
 * @param path of the entry in the document
 */
const buildVerifier = async (
  { users, ldap, radius }: VerifierConfig,
  path: readonly PropertyKey[],
  parts: VerifierParts,
): Promise<BuiltVerifier | undefined> => {
  if (users !== undefined) {
    return await parts.problems.collect([...path, 'users', 'file'], () =>
      buildUsersFile(users.file, parts),
    )
  }
  // Each is loaded where it is configured, with its client and the library of that.
  if (ldap !== undefined) {
    const { buildLdap } = await import('./ldap/build.ts')
    return await buildLdap(ldap, [...path, 'ldap'], parts)
  }
  if (radius !== undefined) {
    const { buildRadius } = await import('./radius/build.ts')
    return await buildRadius(radius, [...path, 'radius'], parts)
  }
  throw new TypeError('a verifier of no kind') // the schema requires one
}

const buildUsersFile = async (
  file: string,
  { files, hashes, state }: VerifierParts,
): Promise<BuiltVerifier> => {
  const verifier = await UsersFile.parse(
    file,
    await files.readGuardedText(file),
    hashes,
    state.keys,
  )
  const { generation } = verifier
  return { verifier, generation, servers: [], close: () => Promise.resolve() }
}

/** The kind `basic`. */
export const basic = {
  schema: basicSchema,
  subject: 'account',
  method: 'basic',
  proves: [],
  locations: () => [AUTHORIZATION],
  build: buildBasic,
} as const satisfies AuthenticatorKind<BasicConfig>

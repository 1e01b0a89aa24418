// The configured password verifiers, built: files and secrets read, connections not yet made.

import type { BuiltVerifier, VerifierParts } from './built-verifier.ts'
import { buildLdap } from './ldap/build.ts'
import { buildRadius } from './radius/build.ts'
import type { VerifierConfig } from './schema.ts'
import { UsersFile } from './users-file.ts'

/**
 * Builds one entry of `basic.verify`; `undefined` where there are problems with it.
 *
 * @param path of the entry in the document
 */
export const buildVerifier = async (
  { users, ldap, radius }: VerifierConfig,
  path: readonly PropertyKey[],
  parts: VerifierParts,
): Promise<BuiltVerifier | undefined> => {
  if (users !== undefined) {
    return await parts.problems.collect([...path, 'users', 'file'], () =>
      buildUsersFile(users.file, parts),
    )
  }
  if (ldap !== undefined) return await buildLdap(ldap, [...path, 'ldap'], parts)
  if (radius !== undefined) return await buildRadius(radius, [...path, 'radius'], parts)
  throw new TypeError('a verifier of no kind') // the schema refuses it
}

const buildUsersFile = async (
  file: string,
  { files, hashes, state }: VerifierParts,
): Promise<BuiltVerifier> => {
  const verifier = UsersFile.parse(file, await files.readText(file), hashes, state.keys)
  const { generation } = verifier
  return { verifier, generation, servers: [], close: () => Promise.resolve() }
}

// A user's entry → the attributes of the user without the groups: the name by the directory, a stable identifier,
// further attributes.

import type { VerifiedUser } from '../verifier.ts'
import type { LdapAttributes } from './schema.ts'
import { textsOf, unusable } from '../../../clients/ldap/reader.ts'
import type { Entry } from '../../../clients/ldap/responses.ts'

/** The attributes that {@link userOf} reads. */
export const userAttributes = ({ user, uid, extra }: LdapAttributes): readonly string[] => [
  user,
  ...(uid === undefined ? [] : [uid]),
  ...Object.values(extra),
]

/**
 * The user of an entry.
 *
 * @param typed the typed name
 * @throws DirectoryError `entry-unusable` when the entry lacks something that an identity needs
 */
export const userOf = (
  entry: Entry,
  typed: string,
  { user, uid, extra }: LdapAttributes,
): Omit<VerifiedUser, 'groups'> => {
  const further = Object.entries(extra)
    .map(([key, attribute]) => [key, textsOf(entry, attribute)] as const)
    .filter(([, values]) => values.length > 0)
  return {
    user: userNameIn(entry, user, typed),
    ...(uid === undefined ? {} : { uid: identifierIn(entry, uid) }),
    extra: Object.fromEntries(further),
  }
}

const userNameIn = (entry: Entry, attribute: string, typed: string): string => {
  const names = textsOf(entry, attribute)
  const [name] = names
  if (name === undefined || name === '') throw unusable(entry, `has no ${attribute}`)
  if (names.length === 1) return name
  // A set without order (RFC 4511 §4.1.7): "the first" may differ tomorrow.
  const same = names.filter((candidate) => candidate.toLowerCase() === typed.toLowerCase())
  const [meant] = same
  if (meant !== undefined && same.length === 1) return meant
  throw unusable(entry, `has several values of ${attribute}, none of which is the name typed`)
}

const identifierIn = (entry: Entry, attribute: string): string => {
  const [identifier, another] = textsOf(entry, attribute)
  if (identifier === undefined || identifier === '') throw unusable(entry, `has no ${attribute}`)
  if (another !== undefined) throw unusable(entry, `has several values of ${attribute}`)
  return identifier
}

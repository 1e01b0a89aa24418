// What can be wrong with a directory's configuration, beyond its shape.

import { parseDn } from '../../../clients/ldap/dn.ts'
import { readServerUrl } from '../../../clients/ldap/dial.ts'
import type { EntrySearch, GroupLookup, LdapOptions } from './options.ts'
import { filterProblem, isPresentable } from '../../../clients/ldap/requests.ts'
import { isDnTemplate, renderFilter } from './template.ts'

/** A problem, and where it is: keys and indexes of {@link LdapOptions}. */
export interface LdapProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Every problem of the options. */
export const ldapProblems = (options: LdapOptions): readonly LdapProblem[] => [
  ...serverProblems(options),
  ...proofProblems(options),
  ...groupProblems(options),
]

const serverProblems = ({ servers }: LdapOptions): readonly LdapProblem[] => [
  ...(servers.length === 0 ? [{ path: ['servers'], message: 'names no server' }] : []),
  ...servers.flatMap((url, index) =>
    readServerUrl(url) === undefined
      ? [{ path: ['servers', index], message: 'must be "ldap://HOST[:PORT]" or "ldaps://…"' }]
      : [],
  ),
]

const proofProblems = ({ proof }: LdapOptions): readonly LdapProblem[] => {
  const search = proof.search === undefined ? [] : searchProblems(proof.search)
  if (proof.kind === 'search') return [...search, ...serviceProblems(proof.service)]
  const names = proof.names.flatMap((name, index) =>
    name.includes('{user}')
      ? []
      : [{ path: ['proof', 'names', index], message: 'must contain "{user}"' }],
  )
  const needed = proof.search === undefined && !proof.names.every((name) => isDnTemplate(name))
  return [
    ...search,
    ...names,
    ...(proof.names.length === 0 ? [{ path: ['proof', 'names'], message: 'is empty' }] : []),
    ...(needed
      ? [{ path: ['proof', 'search'], message: 'is needed where a name to bind with is no DN' }]
      : []),
  ]
}

const serviceProblems = ({
  dn,
  password,
}: Extract<LdapOptions['proof'], { kind: 'search' }>['service']): readonly LdapProblem[] => [
  ...(dn.trim() === ''
    ? [{ path: ['proof', 'service', 'dn'], message: 'is empty: that would be an anonymous bind' }]
    : []),
  ...(isPresentable(password.reveal())
    ? []
    : [
        {
          path: ['proof', 'service', 'password'],
          message: 'is empty: that would be an anonymous bind',
        },
      ]),
]

const searchProblems = ({ base, filter }: EntrySearch): readonly LdapProblem[] => [
  ...dnProblems(base, ['proof', 'search', 'base']),
  // Without the user in it, everybody's password would open the one account that matches.
  ...filterProblems(filter, ['proof', 'search', 'filter'], /\{user\}/),
]

const groupProblems = ({ groups }: LdapOptions): readonly LdapProblem[] => {
  if (groups === undefined) return []
  const { lookup, under, primaryUnder } = groups
  return [
    ...lookupProblems(lookup),
    ...(under === undefined ? [] : dnProblems(under, ['groups', 'subtree'])),
    ...(primaryUnder === undefined ? [] : dnProblems(primaryUnder, ['groups', 'primaryGroupBase'])),
  ]
}

const lookupProblems = (lookup: GroupLookup): readonly LdapProblem[] => {
  if (lookup.kind === 'attribute') return []
  const needed = lookup.kind === 'ad' ? /^/ : lookup.nested > 0 ? /\{dn\}/ : /\{(dn|user)\}/
  return [
    ...dnProblems(lookup.base, ['groups', 'lookup', 'base']),
    ...filterProblems(lookup.filter, ['groups', 'lookup', 'filter'], needed),
  ]
}

const dnProblems = (dn: string, path: LdapProblem['path']): readonly LdapProblem[] =>
  parseDn(dn) === undefined ? [{ path, message: 'is no distinguished name (RFC 4514)' }] : []

const filterProblems = (
  template: string,
  path: LdapProblem['path'],
  needed: RegExp,
): readonly LdapProblem[] => {
  const problem = filterProblem(renderFilter(template, { user: 'x', dn: 'cn=x' }))
  if (problem !== undefined) return [{ path, message: `is no filter (RFC 4515): ${problem}` }]
  return needed.test(template)
    ? []
    : [{ path, message: 'must contain a placeholder for the user: "{user}", or "{dn}" for groups' }]
}

// The `ldap` section of a password verifier: the directory's servers, how a user is found and verified, and which
// attributes become the identity.

import * as z from 'zod'
import { parseDn } from '../../../clients/ldap/dn.ts'
import { directoryKeys, directoryPauses, directoryTimes } from '../../../clients/ldap/schema.ts'
import type { Resolved } from '../../../config/references.ts'
import { isLoopback } from '../../../config/values.ts'
import { isDnTemplate } from './template.ts'

const count = (fallback: number) => z.int().min(1).default(fallback)

const dn = z
  .string()
  .min(1)
  .refine((text) => parseDn(text) !== undefined, {
    error: ({ input }) =>
      `"${String(input)}" is not a distinguished name (RFC 4514), such as "ou=people,dc=example"`,
  })

/**
 * A filter (RFC 4515) whose placeholders are `{user}` and `{dn}`. The builder parses it, since the library that does is
 * loaded where a directory is configured.
 */
const filter = z.string()

const scope = z.enum(['one', 'sub']).default('sub').describe('Right under it, or at any depth.')

const entrySearch = z
  .strictObject({
    base: dn.describe('The DN under which to search.'),
    scope,
    filter: filter
      .refine((text) => text.includes('{user}'), {
        error: ({ input }) =>
          `"${String(input)}" must contain "{user}": it would find the same entry for every user`,
      })
      .default('(uid={user})')
      .describe(
        'RFC 4515, with `{user}` for the user as typed, which is escaped. For AD: `(&(objectCategory=person)(sAMAccountName={user}))`.',
      ),
  })
  .describe('Finds the user’s entry, exactly one.')

const nested = z
  .int()
  .min(0)
  .max(32)
  .default(0)
  .describe('How many levels of groups in groups are followed.')

const groupSearch = z
  .strictObject({
    base: dn.describe('The DN under which groups are.'),
    scope,
    filter: filter
      .default('(&(objectClass=groupOfNames)(member={dn}))')
      .describe('RFC 4515, with `{dn}` and `{user}`.'),
    nested,
  })
  .superRefine(({ filter: text, nested: levels }, context) => {
    const isOfGroup = text.includes('{dn}')
    // Groups of groups have a DN and no user name.
    if (isOfGroup || (levels === 0 && text.includes('{user}'))) return
    const placeholder =
      levels > 0 ? '"{dn}", by which groups of groups are found' : '"{dn}" or "{user}"'
    const message = `"${text}" must contain ${placeholder}`
    context.addIssue({ code: 'custom', path: ['filter'], message })
  })
  .describe('Groups are entries that name the user, found by a search.')

const groups = z
  .strictObject({
    attribute: z
      .strictObject({
        name: z.string().min(1).default('memberOf').describe('An attribute with the groups’ DNs.'),
        nested,
      })
      .optional()
      .describe('Groups are an attribute of the user’s entry.'),
    search: groupSearch.optional(),
    activeDirectory: z
      .strictObject({
        base: dn.describe('The DN under which groups are.'),
        filter: filter.default('(objectClass=group)').describe('The filter (RFC 4515).'),
      })
      .optional()
      .describe('AD resolves nested groups itself, in one search.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The attribute with the group’s name. Default: the value of the first RDN of its DN.',
      ),
    subtree: dn.optional().describe('Only groups below this DN are used.'),
    primaryGroupBase: dn
      .optional()
      .describe('AD: includes the primary group, searched under this DN.'),
    limit: count(500).describe(
      'A user with more groups is refused: a list cut short could hide a denial.',
    ),
  })
  .refine(
    ({ attribute, search, activeDirectory }) =>
      [attribute, search, activeDirectory].filter((way) => way !== undefined).length === 1,
    'must have exactly one of "attribute", "search" and "activeDirectory"',
  )
  .describe('How groups are found and named. Absent: users have no groups.')

const attributes = z
  .strictObject({
    user: z.string().min(1).default('uid').describe('The user’s name; AD: `sAMAccountName`.'),
    uid: z
      .string()
      .min(1)
      .optional()
      .describe('A stable identifier: `entryUUID`; AD: `objectGUID`, `objectSid`.'),
    extra: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Key of the identity’s `extra` → attribute.'),
  })
  .prefault({})
  .describe('Which attributes of the entry become the identity.')

/** The `ldap` section. */
export const ldapSchema = z
  .strictObject({
    ...directoryKeys,
    direct: z
      .array(z.string().includes('{user}', { message: 'must contain "{user}"' }))
      .min(1)
      .optional()
      .describe(
        'In place of `bind`: names to bind with the user’s password directly, such as `uid={user},ou=people,dc=example` or `{user}@corp.example`.',
      ),
    search: entrySearch.optional(),
    attributes,
    groups: groups.optional(),
    ...directoryTimes,
    concurrency: count(8).describe('Verifications at a time.'),
    maxPending: count(128).describe('Verifications that wait; further ones get 503.'),
    ...directoryPauses,
  })
  .refine(
    ({ servers, startTls }) =>
      startTls ||
      servers.every(({ ldaps, host, port }) => ldaps || isLoopback({ kind: 'tcp', host, port })),
    {
      path: ['startTls'],
      error: 'must be true: a password for another machine would cross the network in the clear',
    },
  )
  .refine(
    ({ bind, direct }) => (bind === undefined) !== (direct === undefined),
    'must have exactly one of "bind" (a service account) and "direct" (names to bind)',
  )
  .refine(({ bind, search }) => bind === undefined || search !== undefined, {
    path: ['bind'],
    error: 'needs "search", by which the service account finds the user’s entry',
  })
  .superRefine(({ direct = [], search }, context) => {
    if (search !== undefined) return
    for (const [index, name] of direct.entries()) {
      if (isDnTemplate(name)) continue
      const message = `"${name}" is not a distinguished name: set "search", by which the user’s entry is found`
      context.addIssue({ code: 'custom', path: ['direct', index], message })
    }
  })
  .describe('An LDAP directory or Active Directory.')

/** The parsed `ldap`. */
export type LdapConfig = z.output<typeof ldapSchema>

/** The parsed `ldap` with the contents of files and secrets: what the verifier takes. Times are milliseconds. */
export type LdapSettings = Resolved<LdapConfig>
/** The parsed `search`. */
export type EntrySearch = NonNullable<LdapSettings['search']>
/** The parsed `attributes`. */
export type LdapAttributes = LdapSettings['attributes']
/** The parsed `groups`. */
export type LdapGroups = NonNullable<LdapSettings['groups']>

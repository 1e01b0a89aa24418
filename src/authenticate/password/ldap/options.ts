// What an LDAP directory or an Active Directory is configured with, as plain data.

import type { LdapLimits, LdapTls, ServiceAccount } from '../../../clients/ldap/options.ts'

/** One directory: where it is, how a user is proven, and what is read of a user. */
export interface LdapOptions {
  /**
   * `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`, at least one. Asked in this order: the first that
   * works serves everything, the others stand in for it.
   */
  readonly servers: readonly string[]
  readonly tls: LdapTls
  readonly limits: LdapLimits
  readonly proof: SearchThenBind | DirectBind
  readonly attributes: LdapAttributes
  /** Absent: users have no groups. */
  readonly groups?: LdapGroups | undefined
}

/** A service account finds the user's entry, and the user's password is tried on that. */
export interface SearchThenBind {
  readonly kind: 'search'
  readonly service: ServiceAccount
  readonly search: EntrySearch
}

/**
 * The user's password is tried at once on a name made from what was typed, and the entry is read as
 * the user. A server that keeps unknown users and wrong passwords apart only in a search (most do)
 * cannot say "unknown" here, so no later verifier is ever asked.
 */
export interface DirectBind {
  readonly kind: 'direct'
  /**
   * Tried in order: `uid={user},ou=people,dc=example,dc=org`, or for AD `{user}@corp.example.org`
   * and `CORP\{user}`. One is better: each try with a wrong password counts towards a lock-out.
   */
  readonly names: readonly string[]
  /**
   * Finds the entry. May be absent where all names are DNs. Where a name is none, the entry must be
   * the very one that was bound, which AD tells (`tokenGroups` of the root DSE) and others do not.
   */
  readonly search?: EntrySearch | undefined
}

/** A search that must find exactly one entry. */
export interface EntrySearch {
  /** The DN under which to search. */
  readonly base: string
  /** Right under the base, or at any depth. Default: `sub`. */
  readonly scope: 'one' | 'sub'
  /**
   * RFC 4515, with `{user}` for the user as typed, which is escaped: `(uid={user})`, or for AD
   * `(&(objectCategory=person)(sAMAccountName={user}))`.
   */
  readonly filter: string
}

/** Which attributes of the user's entry become the identity. */
export interface LdapAttributes {
  /** The user's name as the directory has it: `uid` (default), or for AD `sAMAccountName`. */
  readonly user: string
  /** A stable identifier: `entryUUID`, or for AD `objectGUID` or `objectSid`. Absent: none. */
  readonly uid?: string | undefined
  /** Key of the identity's `extra` → attribute. Default: none. */
  readonly extra: Readonly<Record<string, string>>
}

/** Where a user's groups are found, and what they are called. */
export interface LdapGroups {
  readonly lookup: GroupLookup
  /**
   * What a group is called: the first value of its DN (`rdn`: `cn=ops,ou=groups` → `ops`), or an
   * attribute of its entry. Default: `rdn`. Names from different branches can be the same: see `under`.
   */
  readonly name: 'rdn' | { readonly attribute: string }
  /** Only groups under this DN count; those in between are followed all the same. Absent: all. */
  readonly under?: string | undefined
  /** AD: the primary group (Domain Users), which is in no other list, searched under this DN. Absent: left out. */
  readonly primaryUnder?: string | undefined
  /** A user with more groups is refused as unavailable: a list cut short could hide a denial. Default: 500. */
  readonly limit: number
}

/** How groups are found. */
export type GroupLookup =
  | {
      /** An attribute of the user's entry holds their DNs. */
      readonly kind: 'attribute'
      /** Default: `memberOf`. */
      readonly attribute: string
      readonly nested: Nesting
    }
  | {
      /** Groups are entries that name the user, found by a search. */
      readonly kind: 'search'
      readonly base: string
      readonly scope: 'one' | 'sub'
      /**
       * RFC 4515, with `{dn}` and `{user}` for the user's entry and its name in the directory:
       * `(&(objectClass=groupOfNames)(member={dn}))`, `(&(objectClass=posixGroup)(memberUid={user}))`.
       */
      readonly filter: string
      /** Levels above the first are searched with the group's DN for `{dn}`. */
      readonly nested: Nesting
    }
  | {
      /** AD resolves nested groups itself (LDAP_MATCHING_RULE_IN_CHAIN), in one search. */
      readonly kind: 'ad'
      readonly base: string
      /** What else must be true of a group. Default: `(objectClass=group)`. */
      readonly filter: string
    }

/** How many levels of groups in groups are followed; deeper ones make the user unavailable. Default: 0. */
type Nesting = number

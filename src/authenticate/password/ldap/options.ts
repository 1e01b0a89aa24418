// What an LDAP directory or an Active Directory is configured with, as plain data.

import { inspect } from 'node:util'

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

/** How servers are trusted. */
export interface LdapTls {
  /**
   * Upgrades `ldap://` by StartTLS (RFC 4511 §4.14), and sends nothing where that fails. Default:
   * true. With false, passwords cross the network in the clear: for the loopback interface alone.
   */
  readonly startTls: boolean
  /** The CAs of the servers' certificates, PEM. Absent: those that Node comes with. */
  readonly ca?: Buffer | undefined
  /** The name (or address) in the servers' certificates. Absent: the host of each URL. */
  readonly serverName?: string | undefined
  /** A certificate to show to the servers, PEM. Absent: none. */
  readonly client?: { readonly certificate: Buffer; readonly key: Buffer } | undefined
}

/** Times in milliseconds, and numbers that nothing may exceed. */
export interface LdapLimits {
  /** For a connection with its TLS handshake. Default: 2000. */
  readonly connectTimeout: number
  /** For each single bind and search. Default: 3000. */
  readonly operationTimeout: number
  /**
   * Users proven at a time. Each holds at most one connection of the service account and one for
   * the bind as the user, so each server sees at most twice as many. Default: 8.
   */
  readonly concurrency: number
  /** Users waiting for that, each source address in turn; more are refused as overloaded. Default: 128. */
  readonly waiting: number
  /**
   * How long a server that failed is left alone; one that refused the service account, a minute at
   * least. Default: 5000.
   */
  readonly coolDown: number
  /** How long a connection is kept that nobody uses. Default: 60000. */
  readonly idle: number
}

/** A service account finds the user's entry, and the user's password is tried on that. */
export interface SearchThenBind {
  readonly kind: 'search'
  readonly service: {
    /** A DN, or whatever else the server takes in a bind: AD also has `svc@corp.example.org`. */
    readonly dn: string
    readonly password: ServicePassword
  }
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
      /** Groups are searched that name the user. */
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

/** A password that no log can print. */
export class ServicePassword {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The password itself: for the bind, and nothing else. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}

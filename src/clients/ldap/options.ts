// How a directory is reached: its servers, TLS, timeouts and the service account.

import { inspect } from 'node:util'

/** The servers of one directory. */
export interface DirectoryOptions {
  /**
   * `ldap://HOST[:PORT]` or `ldaps://HOST[:PORT]`, at least one, in order of preference: the first that
   * works serves every request.
   */
  readonly servers: readonly string[]
  readonly tls: LdapTls
  readonly limits: LdapLimits
  /** Absent: only users bind. */
  readonly service?: ServiceAccount | undefined
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
   * Verifications at a time. Each holds at most one connection of the service account and one for
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

/** The account that searches. */
export interface ServiceAccount {
  /** A DN, or what else the server accepts in a bind: Active Directory also has `svc@corp.example.org`. */
  readonly dn: string
  readonly password: ServicePassword
}

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

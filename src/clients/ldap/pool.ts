// Connections that are kept for the next one who needs them. How many there can be follows from how
// many work at a time; see FairLimiter.

import type { LdapConnection } from './connection.ts'
import { DirectoryError } from './failure.ts'

/** What a pool needs. */
export interface PoolOptions {
  /** Opens a connection, bound as all connections of this pool. */
  readonly open: (signal: AbortSignal) => Promise<LdapConnection>
  /** Milliseconds that a connection is kept unused. */
  readonly idle: number
}

/** The connections of one server that are bound alike. */
export class ConnectionPool implements Disposable {
  readonly #options: PoolOptions
  readonly #idle = new Map<LdapConnection, NodeJS.Timeout>()
  #disposed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Works on a connection that has no other user meanwhile. The server may have closed a kept connection just then,
   * which is not a failure of the server: the work is repeated once, on a new one.
   */
  async use<T>(signal: AbortSignal, work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    const kept = this.#takeIdle()
    if (kept !== undefined) {
      try {
        return await this.#workOn(kept, work)
      } catch (cause) {
        if (!(cause instanceof DirectoryError) || cause.failure !== 'closed') throw cause
      }
    }
    return await this.#workOn(await this.#open(signal), work)
  }

  /** Opens a connection to see whether that goes, and keeps it. */
  async probe(signal: AbortSignal): Promise<void> {
    this.#keep(await this.#open(signal))
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    for (const connection of this.#idle.keys()) connection.close()
  }

  async #open(signal: AbortSignal): Promise<LdapConnection> {
    const connection = await this.#options.open(signal)
    connection.onceEnded(() => this.#forget(connection))
    return connection
  }

  async #workOn<T>(
    connection: LdapConnection,
    work: (connection: LdapConnection) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(connection)
    } finally {
      this.#keep(connection)
    }
  }

  // The latest first: what is not needed any more grows old.
  #takeIdle(): LdapConnection | undefined {
    const connection = [...this.#idle.keys()].at(-1)
    if (connection === undefined) return undefined
    this.#forget(connection)
    connection.holdProcess(true)
    return connection
  }

  #keep(connection: LdapConnection): void {
    if (this.#disposed || !connection.isUsable) {
      connection.close()
      return
    }
    connection.holdProcess(false)
    const timer = setTimeout(() => connection.close(), this.#options.idle)
    this.#idle.set(connection, timer.unref())
  }

  #forget(connection: LdapConnection): void {
    clearTimeout(this.#idle.get(connection))
    this.#idle.delete(connection)
  }
}

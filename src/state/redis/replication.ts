// Acknowledgement by replicas (`WAIT`). A primary may fail, or be cut off and replaced, after it has answered: what
// replicas have is what a failover keeps. A primary without its replicas is not read from either, since another
// one may have taken its place.

import type { Clock } from '../../runtime/clock.ts'
import type { RedisClient, Reply } from './client.ts'

/** What {@link Replication} needs. */
export interface ReplicationOptions {
  readonly client: RedisClient
  /** How many replicas must have a write; more than 0. */
  readonly replicas: number
  /** For how long they are waited for, in milliseconds. Commands behind it wait as well. */
  readonly timeout: number
  /** A key for what is written in order to be acknowledged. */
  readonly key: string
  readonly clock: Clock
}

// As for revocations of other processes: how old the knowledge may be that this is the primary.
const FRESH_MS = 1_000
const KEY_LIFETIME_MS = 60_000

/** The replicas of one connection's server. */
export class Replication {
  readonly #options: ReplicationOptions
  #running: Promise<Reply> | undefined
  #next: Promise<Reply> | undefined
  #confirming: Promise<Reply> | undefined
  #confirmedAt = Number.NEGATIVE_INFINITY

  constructor(options: ReplicationOptions) {
    this.#options = options
  }

  /**
   * Waits until enough replicas have everything that was written so far; an error reply where they do not in time.
   * Writes that are waiting share one `WAIT`.
   *
   * @throws when there is no reply
   */
  async acknowledged(): Promise<Reply> {
    this.#next ??= this.#waitNext()
    return await this.#next
  }

  /**
   * Makes sure that replicas have acknowledged something within the last second; `undefined` where they have already.
   *
   * @throws when there is no reply
   */
  confirmed(): Promise<Reply> | undefined {
    const { clock } = this.#options
    if (clock.monotonic() - this.#confirmedAt < FRESH_MS) return undefined
    this.#confirming ??= this.#confirm().finally(() => {
      this.#confirming = undefined
    })
    return this.#confirming
  }

  async #confirm(): Promise<Reply> {
    const { client, key } = this.#options
    const written = await client.send(['SET', key, '', 'PX', String(KEY_LIFETIME_MS)])
    return written.outcome === 'refused' ? written : await this.acknowledged()
  }

  /** A `WAIT` is for what was sent before it, so the one that is running is not for the latest writes. */
  async #waitNext(): Promise<Reply> {
    await this.#running?.catch(() => undefined)
    this.#next = undefined
    this.#running = this.#wait()
    return await this.#running
  }

  async #wait(): Promise<Reply> {
    const { client, replicas, timeout, clock } = this.#options
    const at = clock.monotonic()
    const reply = await client.send(['WAIT', String(replicas), String(timeout)])
    if (reply.outcome === 'refused') return reply
    const have = Number(reply.value)
    if (have < replicas) {
      const message = `NOREPLICAS ${have} of the ${replicas} replicas in "replicas" have the write after ${timeout} ms`
      return { outcome: 'refused', message }
    }
    this.#confirmedAt = at
    return reply
  }
}

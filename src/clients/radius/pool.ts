// The connections to one server: how many, and the deadlines that UDP and TLS each need.

import { setTimeout as delay } from 'node:timers/promises'
import type { Packet, RequestContent } from './packet.ts'
import { RadiusFailure } from './failure.ts'
import { RequestLimiter } from './limiter.ts'
import { RadiusConnection, type ConnectionOptions } from './connection.ts'

/** What a link needs. */
export interface PoolOptions extends ConnectionOptions {
  /** How many sockets or connections at most. */
  readonly connections: number
  /** How many requests on each at once, at most 256. */
  readonly depth: number
  /** A Status-Server request (RFC 5997), where the server answers such. */
  readonly status: RequestContent | undefined
  /** From 0 up to 1. */
  readonly random: () => number
}

/** How long a request may take, and what then. */
export interface RequestBudget {
  /** Milliseconds. */
  readonly limit: number
  /** How often it may be sent again. */
  readonly retries: number
  /** Whether no further server will be tried, so that a transient refusal is retried here. */
  readonly last: boolean
  readonly signal: AbortSignal
}

// A socket with so many requests on it gets company, so that no identifier comes round again soon.
const BUSY = 64
// An unused connection keeps no process alive, so that one left over from an old configuration needs no
// closing; and a name is looked up anew after it.
const IDLE = 60_000

const NEVER = new AbortController().signal

/** Sends requests to one server. */
export class ConnectionPool {
  readonly #options: PoolOptions
  readonly #connections = new Set<RadiusConnection>()
  readonly #watched = new WeakSet<RadiusConnection>()
  readonly #limiter: RequestLimiter
  readonly #idle: NodeJS.Timeout
  #heard = Number.NEGATIVE_INFINITY

  constructor(options: PoolOptions) {
    this.#options = options
    this.#limiter = new RequestLimiter(
      options.connections * options.depth,
      Number.POSITIVE_INFINITY,
    )
    this.#idle = setTimeout(() => this.#closeUnused(), IDLE).unref()
  }

  /** Whether the server has answered anything since then (monotonic). */
  heardSince(time: number): boolean {
    return this.#heard >= time
  }

  /**
   * Sends a request and waits for the reply.
   *
   * @throws RadiusFailure; the signal's reason when it aborts
   */
  async exchange(content: RequestContent, budget: RequestBudget): Promise<Packet> {
    const { secure } = this.#options
    const until = this.#now() + budget.limit
    try {
      const reply = await this.#limiter.run('', budget.limit, budget.signal, () =>
        secure ? this.#byStream(content, budget, until) : this.#byDatagrams(content, budget, until),
      )
      this.#heard = this.#now()
      return reply
    } finally {
      this.#idle.refresh()
    }
  }

  /** Lets requests under way come to their ends, and begins afresh: the name may have moved. */
  renew(): void {
    for (const connection of this.#connections) connection.retire()
    this.#connections.clear()
  }

  /** Ends it with everything on it; a later request opens it again. */
  close(): void {
    const failure = new RadiusFailure('connection-lost', 'closed')
    for (const connection of this.#connections) connection.lost(failure)
    clearTimeout(this.#idle)
  }

  /** RFC 5080 §2.2.1: the same packet again and again, at growing intervals. */
  async #byDatagrams(
    content: RequestContent,
    { limit, retries, last, signal }: RequestBudget,
    until: number,
  ): Promise<Packet> {
    const { interval, random } = this.#options
    const connection = this.#pick()
    using exchange = connection.begin(content)
    for (let sent = 0; ; sent += 1) {
      const left = this.#until(until)
      const wait = sent < retries ? intervalAfter(sent, interval, random) : left
      exchange.persistent = last && wait < left
      connection.send(exchange)
      const reply = await exchange.within(Math.min(wait, left), signal)
      if (reply !== undefined) return reply
      if (wait >= left) throw exchange.unanswered(limit)
    }
  }

  /** RFC 6613 §2.6.1: never twice on one connection, but on a new one when it is lost. */
  async #byStream(
    content: RequestContent,
    { retries, last, signal }: RequestBudget,
    until: number,
  ): Promise<Packet> {
    const { interval, random } = this.#options
    for (let attempt = 0; ; attempt += 1) {
      const connection = this.#pick()
      const used = connection.isOpen
      try {
        return await this.#onConnection(connection, content, this.#until(until), signal)
      } catch (cause) {
        const left = this.#until(until)
        // Servers close connections that have been idle for long; that says nothing about them.
        const stale = used && attempt === 0 && isReason(cause, 'connection-lost')
        if (stale && left > 0) continue
        const wait = intervalAfter(attempt, interval, random)
        const transient = isReason(cause, 'connection-lost') || isReason(cause, 'unreachable')
        if (!transient || !last || attempt >= retries || wait >= left) throw cause
        await delay(wait, undefined, { signal })
      }
    }
  }

  async #onConnection(
    connection: RadiusConnection,
    content: RequestContent,
    limit: number,
    signal: AbortSignal,
  ): Promise<Packet> {
    const { interval } = this.#options
    using exchange = connection.begin(content)
    const began = this.#now()
    connection.send(exchange)
    for (let from = began; from < began + limit; from = this.#now()) {
      const wait = Math.min(interval, began + limit - from)
      const reply = await exchange.within(wait, signal)
      if (reply !== undefined) return reply
      // Not sooner, so that the server does not get the request and the probe at once.
      const silent = connection.openSince(from) && !connection.heardSince(began)
      if (silent) void this.#watch(connection)
    }
    const failure = exchange.unanswered(limit)
    // A connection without replies may no longer exist at the server.
    if (!connection.heardSince(began)) connection.lost(failure)
    throw failure
  }

  /** RFC 3539 §3.4: distinguishes a slow server from a dead connection, and closes the latter. */
  async #watch(connection: RadiusConnection): Promise<void> {
    const { status, interval } = this.#options
    if (status === undefined || !connection.isOpen || this.#watched.has(connection)) return
    this.#watched.add(connection)
    const began = this.#now()
    try {
      using exchange = connection.begin(status)
      connection.send(exchange)
      const reply = await exchange.within(interval, NEVER)
      if (reply !== undefined || connection.heardSince(began)) return
      connection.lost(new RadiusFailure('connection-lost', 'Status-Server was not answered'))
    } catch {
      // The connection is full or lost: its own requests know.
    } finally {
      this.#watched.delete(connection)
    }
  }

  #pick(): RadiusConnection {
    const { connections, depth } = this.#options
    const [least] = [...this.#connections].toSorted((one, other) => one.load - other.load)
    const alone = this.#connections.size >= connections
    if (least !== undefined && (alone || least.load < Math.min(depth, BUSY))) return least
    const connection = new RadiusConnection(this.#options, (ended) =>
      this.#connections.delete(ended),
    )
    this.#connections.add(connection)
    return connection
  }

  #closeUnused(): void {
    for (const connection of this.#connections) {
      if (connection.load === 0) connection.retire()
    }
  }

  #until(time: number): number {
    return Math.max(0, time - this.#now())
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }
}

const isReason = (cause: unknown, reason: RadiusFailure['reason']): boolean =>
  cause instanceof RadiusFailure && cause.reason === reason

/** RAND of RFC 5080: each interval is a tenth longer or shorter, so that clients fall out of step. */
const SPREAD = 0.1

// The same section's MRT is 16 s; here a user waits for the answer.
const LONGEST_INTERVAL = 8_000

/**
 * The milliseconds between a transmission and the next: `first`, then doubled each time, spread.
 *
 * @param sent how many transmissions there were before, 0 for none
 * @param random from 0 up to 1
 */
export const intervalAfter = (sent: number, first: number, random: () => number): number =>
  Math.min(first * 2 ** sent, LONGEST_INTERVAL) * (1 - SPREAD + 2 * SPREAD * random())

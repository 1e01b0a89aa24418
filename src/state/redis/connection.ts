// The connection to a Redis server: one at a time, replaced when it is lost, and closed when a reply is overdue. A
// command is sent once: whether one without a reply took effect is unknown, so it is never sent again.

import { CircuitBreaker } from '../../runtime/circuit-breaker.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { StateStatistics } from '../statistics.ts'
import {
  connectClient,
  describeFailure,
  type RedisClient,
  type RedisServer,
  type Reply,
} from './client.ts'
import { Sender } from './sender.ts'

/** The options of a connection. */
export interface ConnectionOptions {
  /** The server, without secrets. */
  readonly name: string
  readonly server: RedisServer
  readonly clock: Clock
  readonly statistics: StateStatistics
  /** Checks a new connection before its first use. One that it rejects is not used, and another is opened later. */
  readonly greet: (sender: Sender) => Promise<void>
  /** Called with the reason when there is no connection, and with `undefined` when there is one again. */
  readonly report: (failure: unknown) => void
}

const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5_000
// Each missing reply costs a connection, and its caller half a second.
const CIRCUIT = { failures: 3, pause: () => 1_000 }

/** A server that is used over one connection. */
export class RedisConnection implements AsyncDisposable {
  /** Sends commands over the present connection. */
  readonly sender: Sender
  readonly #options: ConnectionOptions
  readonly #circuit: CircuitBreaker<unknown>
  #client: RedisClient | undefined
  #failure: unknown = new CountersignError('unavailable', 'not connected yet')
  #pause = FIRST_PAUSE
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ConnectionOptions) {
    const { name, clock, statistics } = options
    this.sender = new Sender({ name, statistics, reply: (command) => this.#reply(command) })
    this.#options = options
    this.#circuit = new CircuitBreaker({ ...CIRCUIT, clock })
  }

  /** Why it cannot be used now, or `undefined`. */
  get failure(): unknown {
    if (this.#client === undefined) return this.#failure
    return this.#circuit.state === 'open' ? this.#unavailable('it does not answer') : undefined
  }

  /** Connects, and from then on reconnects by itself. Resolves when the first attempt has ended. */
  async connect(): Promise<void> {
    const { name, server, statistics, greet } = this.#options
    let client: RedisClient | undefined
    try {
      const opened = await connectClient(server, (cause) => this.#lose(opened, cause))
      client = opened
      const reply = (command: readonly string[]): Promise<Reply> => opened.send(command)
      await greet(new Sender({ name, statistics, reply }))
    } catch (cause) {
      client?.[Symbol.dispose]()
      this.#tryLater(cause)
      return
    }
    if (this.#closed) {
      client[Symbol.dispose]()
      return
    }
    this.#client = client
    this.#pause = FIRST_PAUSE
    this.#options.report(undefined)
  }

  /** Closes the connection, for a reason that pending calls are rejected with; another one is opened later. */
  giveUp(cause: unknown): void {
    if (this.#client !== undefined) this.#lose(this.#client, cause)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#client?.[Symbol.dispose]()
    this.#client = undefined
  }

  async #reply(command: readonly string[]): Promise<Reply> {
    const client = this.#client
    if (client === undefined) throw this.#unavailable(this.#failure)
    const { name } = this.#options
    const work = async (): Promise<Reply> => {
      try {
        const reply = await client.send(command)
        // A replica since a failover: another server may have the name now.
        if (reply.outcome === 'refused' && /\bREADONLY\b/.test(reply.message)) {
          this.#lose(client, this.#unavailable(reply.message))
        }
        return reply
      } catch (cause) {
        // Replies come in order: none arrives after one that is overdue.
        this.#lose(client, cause)
        throw this.#unavailable(cause)
      }
    }
    return await this.#circuit.run(
      work,
      () => new CountersignError('unavailable', `${name} failed; its circuit breaker is open`),
    )
  }

  #lose(client: RedisClient, cause: unknown): void {
    client[Symbol.dispose]()
    if (this.#client !== client) return
    this.#client = undefined
    this.#tryLater(cause)
  }

  #tryLater(cause: unknown): void {
    if (this.#closed) return
    this.#failure = cause
    this.#options.report(cause)
    this.#timer = setTimeout(() => void this.connect(), this.#pause)
    this.#timer.unref()
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause)
  }

  #unavailable(cause: unknown): CountersignError {
    const why = typeof cause === 'string' ? cause : describeFailure(cause)
    return new CountersignError('unavailable', `${this.#options.name}: ${why}`, { cause })
  }
}

// The connection to a Redis server, the primary where there are several: one at a time, replaced when it is lost, and
// closed when a reply is overdue or another server is primary. A command is sent once: whether one without a reply
// took effect is unknown, so it is never sent again.

import { CircuitBreaker } from '../../runtime/circuit-breaker.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { StateStatistics } from '../statistics.ts'
import type { RedisNode } from './address.ts'
import { describeFailure, type Reply } from './client.ts'
import { readLogin } from './login.ts'
import { connectPrimary, isReplaced, type Primary, type RedisServer } from './primary.ts'
import { Replication } from './replication.ts'
import { Sender, type CommandUse } from './sender.ts'

/** The options of a connection. */
export interface ConnectionOptions {
  /** The server, without secrets. */
  readonly name: string
  readonly server: RedisServer
  /** A key for what is written in order to be acknowledged by replicas. */
  readonly beat: string
  readonly clock: Clock
  readonly statistics: StateStatistics
  /** Checks a new connection before its first use. One that it rejects is not used, and another is opened later. */
  readonly greet: (sender: Sender) => Promise<void>
  /** Called with the reason when there is no connection, and with the server when there is one again. */
  readonly report: (state: ConnectionState) => void
}

/** Whether there is a connection, and to which server. */
export type ConnectionState = { readonly node: RedisNode } | { readonly failure: unknown }

/** A connection, and the replicas of its server where they count. */
interface Link extends Primary {
  readonly replication: Replication | undefined
}

const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5_000
// Each missing reply costs a connection, and its caller half a second.
const CIRCUIT = { failures: 3, pause: () => 1_000 }

// The server is a replica by now, or another node of the cluster has the keys. Such a command has not run.
const REPLACED = /\bREADONLY\b|^MOVED /

/** A server that is used over one connection. */
export class RedisConnection implements AsyncDisposable {
  /** Sends commands over the present connection. */
  readonly sender: Sender
  readonly #options: ConnectionOptions
  readonly #circuit: CircuitBreaker<unknown>
  #looking: Promise<void> | undefined
  #link: Link | undefined
  #failure: unknown = new CountersignError('unavailable', 'not connected yet')
  #pause = FIRST_PAUSE
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ConnectionOptions) {
    const { name, clock, statistics } = options
    this.sender = new Sender({
      name,
      statistics,
      reply: (command, use) => this.#reply(command, use),
    })
    this.#options = options
    this.#circuit = new CircuitBreaker({ ...CIRCUIT, clock })
  }

  /** Why it cannot be used now, or `undefined`. */
  get failure(): unknown {
    if (this.#link === undefined) return this.#failure
    return this.#circuit.state === 'open' ? this.#unavailable('it does not answer') : undefined
  }

  /** Connects, and from then on reconnects by itself. Resolves when the first attempt has ended. */
  async connect(): Promise<void> {
    const { name, server, statistics, greet } = this.#options
    let link: Link | undefined
    try {
      const primary = await connectPrimary(server, (cause) => this.#lose(link, cause))
      link = { ...primary, replication: this.#replicationOf(primary) }
      const reply = (command: readonly string[]): Promise<Reply> => primary.client.send(command)
      await greet(new Sender({ name, statistics, reply }))
    } catch (cause) {
      link?.client[Symbol.dispose]()
      this.#tryLater(cause)
      return
    }
    if (this.#closed) {
      link.client[Symbol.dispose]()
      return
    }
    this.#link = link
    this.#pause = FIRST_PAUSE
    this.#options.report({ node: link.node })
  }

  /** Closes the connection, for a reason that pending calls are rejected with; another one is opened later. */
  giveUp(cause: unknown): void {
    this.#lose(this.#link, cause)
  }

  /**
   * Closes the connection if another server is primary, and logs in again if the password has changed: some servers end
   * connections whose password has expired.
   */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#link?.client[Symbol.dispose]()
    this.#link = undefined
  }

  #replicationOf({ client }: Primary): Replication | undefined {
    const { server, beat, clock } = this.#options
    const { replicas, timeout } = server
    if (replicas === 0) return undefined
    // Commands behind a `WAIT` have half of their time left.
    return new Replication({
      client,
      replicas,
      timeout: Math.ceil(timeout / 2),
      key: beat,
      clock,
    })
  }

  async #look(): Promise<void> {
    const { server } = this.#options
    const link = this.#link
    if (link === undefined) return
    try {
      if (await isReplaced(link.node, server)) {
        return this.#lose(link, this.#unavailable('another server is the primary now'))
      }
      const { username, password } = await readLogin(server.login)
      const { login } = link.client
      if (password === undefined || (login.username === username && login.password === password)) {
        return
      }
      const user = username === undefined ? [] : [username]
      const reply = await link.client.send(['AUTH', ...user, password])
      // A new connection says what is wrong.
      if (reply.outcome === 'refused') return this.#lose(link, this.#unavailable(reply.message))
      link.client.login = { username, password }
    } catch (cause) {
      this.#options.statistics.failed(cause)
    }
  }

  async #reply(command: readonly string[], use: CommandUse): Promise<Reply> {
    const link = this.#link
    if (link === undefined) throw this.#unavailable(this.#failure)
    const { name } = this.#options
    return await this.#circuit.run(
      () => this.#replyOver(link, command, use),
      () => new CountersignError('unavailable', `${name} failed; its circuit breaker is open`),
    )
  }

  async #replyOver(link: Link, command: readonly string[], use: CommandUse): Promise<Reply> {
    try {
      const reply = await replyWithReplicas(link, command, use)
      if (reply.outcome === 'refused') this.#notice(link, reply.message)
      return reply
    } catch (cause) {
      // Replies come in order: none arrives after one that is overdue.
      this.#lose(link, cause)
      throw this.#unavailable(cause)
    }
  }

  #notice(link: Link, message: string): void {
    // Another server may have its name, or its keys, now.
    if (REPLACED.test(message)) this.#lose(link, this.#unavailable(message))
    if (message.startsWith('NOREPLICAS')) void this.look()
  }

  #lose(link: Link | undefined, cause: unknown): void {
    link?.client[Symbol.dispose]()
    if (link === undefined || this.#link !== link) return
    this.#link = undefined
    this.#tryLater(cause)
  }

  #tryLater(cause: unknown): void {
    if (this.#closed) return
    this.#failure = cause
    this.#options.report({ failure: cause })
    this.#timer = setTimeout(() => void this.connect(), this.#pause)
    this.#timer.unref()
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause)
  }

  #unavailable(cause: unknown): CountersignError {
    const why = typeof cause === 'string' ? cause : describeFailure(cause)
    return new CountersignError('unavailable', `${this.#options.name}: ${why}`, { cause })
  }
}

/** Replicas confirm what is written, and before a read that the server is still the primary. */
const replyWithReplicas = async (
  { client, replication }: Link,
  command: readonly string[],
  use: CommandUse,
): Promise<Reply> => {
  if (replication === undefined || use === 'asks') return await client.send(command)
  if (use === 'reads') {
    const confirmation = await replication.confirmed()
    return confirmation?.outcome === 'refused' ? confirmation : await client.send(command)
  }
  const reply = await client.send(command)
  if (reply.outcome === 'refused') return reply
  const acknowledgement = await replication.acknowledged()
  return acknowledgement.outcome === 'refused' ? acknowledgement : reply
}

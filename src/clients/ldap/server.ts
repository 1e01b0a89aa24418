// One server of a directory: its health, and its connections: those of the service account, and
// apart from them those on which users' passwords are tried.

import type { Clock } from '../../runtime/clock.ts'
import { AnswerBudget } from './answer-budget.ts'
import type { LdapConnection, OperationLimits } from './connection.ts'
import type { ServerDurations } from '../../runtime/request-durations.ts'
import { dial } from './dial.ts'
import { DirectoryError } from './failure.ts'
import { ServerHealth, type HealthListener } from './health.ts'
import type { DirectorySettings } from './schema.ts'
import { ConnectionPool } from './pool.ts'
import { RESULT } from './responses.ts'
import type { ServerAddress } from './server-url.ts'

/** Who learns what happens at a server. */
export interface ServerObservers {
  readonly listener: HealthListener
  readonly durations?: ServerDurations | undefined
}

/** One server of a directory, its connections and its health. */
export class DirectoryServer implements Disposable {
  /** As in the configuration. */
  readonly url: string
  readonly health: ServerHealth
  /** Connections bound as the service account; absent where there is none. */
  readonly service: ConnectionPool | undefined
  /** Connections for users' binds. Their state is unknown: bind before any other operation. */
  readonly users: ConnectionPool
  readonly #closing = new AbortController()

  constructor(
    address: ServerAddress,
    settings: DirectorySettings,
    clock: Clock,
    { listener, durations }: ServerObservers,
  ) {
    const { bind, connectTimeout, coolDown, idleTimeout: idle, operationTimeout } = settings
    this.url = address.url
    this.health = new ServerHealth(coolDown, clock, listener)
    const open = async (signal: AbortSignal): Promise<LdapConnection> => {
      const limits = { signal, limit: connectTimeout, budget: new AnswerBudget() }
      return await dial(address, settings, limits, durations)
    }
    this.users = new ConnectionPool({ open, idle })
    if (bind !== undefined) {
      const openBound = async (signal: AbortSignal): Promise<LdapConnection> => {
        const limits = {
          signal,
          limit: operationTimeout,
          budget: new AnswerBudget(),
        }
        return await bindService(await open(signal), address, bind, limits)
      }
      this.service = new ConnectionPool({ open: openBound, idle })
    }
  }

  /** Finds out by itself whether the server is back. */
  tryAside(): void {
    this.health.beginTrial()
    const pool = this.service ?? this.users
    pool.probe(this.#closing.signal).then(
      () => this.health.succeeded(),
      (cause: unknown) => {
        if (cause instanceof DirectoryError) this.health.failed(cause)
        else this.health.abandonTrial()
      },
    )
  }

  [Symbol.dispose](): void {
    this.#closing.abort()
    this.service?.[Symbol.dispose]()
    this.users[Symbol.dispose]()
  }
}

/** The connection, bound as the service account; closed if the bind fails. */
const bindService = async (
  connection: LdapConnection,
  address: ServerAddress,
  { dn, password }: NonNullable<DirectorySettings['bind']>,
  limits: OperationLimits,
): Promise<LdapConnection> => {
  try {
    const { code, policyError } = await connection.bind(dn, password.text(), limits)
    // With a policy error the bind may have succeeded, but only permits a change of the password.
    if (code === RESULT.success && policyError === undefined) return connection
    if (code === RESULT.busy || code === RESULT.unavailable) {
      throw new DirectoryError('busy', `${address.url} is busy: result code ${code}`)
    }
    // Without the server's own words: they could repeat what it was sent.
    const why = `result code ${code}${policyError === undefined ? '' : `, policy error ${policyError}`}`
    const message = `${address.url} refuses the service account ${dn}: ${why}`
    throw new DirectoryError('service-refused', message)
  } catch (cause) {
    connection.close()
    throw cause
  }
}

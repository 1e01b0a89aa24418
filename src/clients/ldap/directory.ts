// The servers of one directory in order of preference: the first healthy one is queried, then the next one when it
// fails. If all have failed within the retry interval, the answer is immediate.

import type { Clock } from '../../runtime/clock.ts'
import type { RequestDurations } from '../../runtime/request-durations.ts'
import type { ServerState } from '../../runtime/server-state.ts'
import { DirectoryError } from './failure.ts'
import type { DirectorySettings } from './schema.ts'
import { DirectoryServer } from './server.ts'

/** Called when the circuit breaker of a server opens, with the reason, and without one when it closes. */
export type ServerReport = (url: string, failure: DirectoryError | undefined) => void

/** Who learns what happens at the servers. */
export interface DirectoryObservers {
  readonly report: ServerReport
  readonly durations?: RequestDurations | undefined
}

/** Servers that hold the same entries. */
export class Directory implements Disposable {
  readonly #servers: readonly DirectoryServer[]
  readonly #clock: Clock
  /** How each is doing, in order. */
  readonly states: readonly ServerState[]

  constructor(
    settings: DirectorySettings,
    clock: Clock,
    { report, durations }: DirectoryObservers,
  ) {
    this.#clock = clock
    this.#servers = settings.servers.map(
      (address) =>
        new DirectoryServer(address, settings, clock, {
          listener: (failure) => report(address.url, failure),
          durations: durations?.of('ldap', address.url),
        }),
    )
    this.states = this.#servers.map(({ url: name, health }) => ({
      name,
      isUp: () => health.state === 'closed',
    }))
  }

  /**
   * Does the work with the first server that can. It is begun anew with the next one when a server
   * fails in the middle.
   *
   * @param user the subject of the work
   * @throws DirectoryError when none can, or when another would fare no better; the signal's reason
   */
  async use<T>(
    user: string,
    signal: AbortSignal,
    work: (server: DirectoryServer) => Promise<T>,
  ): Promise<T> {
    let last: unknown
    for (const server of this.#worthAsking()) {
      const { health } = server
      // Other requests run meanwhile, and may have found a healthy server to be down.
      if (health.state === 'open') continue
      if (health.state === 'due') health.beginTrial()
      const began = this.#clock.monotonic()
      try {
        const result = await work(server)
        health.succeeded()
        return result
      } catch (cause) {
        if (!(cause instanceof DirectoryError)) {
          health.abandonTrial()
          throw cause
        }
        if (!cause.ofTheServer) {
          health.succeeded()
          throw cause
        }
        health.failed(cause, { user, began })
        last = cause
      }
    }
    throw last ?? this.#allSkipped()
  }

  /**
   * Healthy servers in order. A server that is due for a trial is tried in the background, so that no caller waits
   * for it. If it is the only one, the caller's request is the trial.
   */
  #worthAsking(): readonly DirectoryServer[] {
    const healthy = this.#servers.filter(({ health }) => health.state === 'closed')
    const perhaps = this.#servers.filter(({ health }) => health.state === 'due')
    if (healthy.length > 0) {
      for (const server of perhaps) server.tryAside()
      return healthy
    }
    return perhaps
  }

  #allSkipped(): DirectoryError {
    const cause = this.#servers.find(({ health }) => health.last !== undefined)?.health.last
    const message = `every server of the directory failed a moment ago: ${cause?.message}`
    return new DirectoryError('skipped', message, { cause })
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) server[Symbol.dispose]()
  }
}

// Several RADIUS servers, tried in order until one answers before the deadline.

import type { Clock } from '../../runtime/clock.ts'
import type { ServerState } from '../../runtime/server-state.ts'
import type { Packet, RequestContent } from './packet.ts'
import { isUnsigned, RadiusFailure } from './failure.ts'
import type { Server } from './server.ts'

/** Who answered, and what. */
export interface Answer {
  readonly server: Server
  readonly reply: Packet
}

/** How long all of it may take. */
export interface Deadline {
  /** Monotonic, in milliseconds. */
  readonly until: number
  readonly signal: AbortSignal
}

/** The servers of one verifier. */
export class Servers {
  readonly #servers: readonly Server[]
  readonly #interval: number
  readonly #clock: Clock

  /** @param interval milliseconds that a trial of a server that was down may cost a request */
  constructor(servers: readonly Server[], interval: number, clock: Clock) {
    this.#servers = servers
    this.#interval = interval
    this.#clock = clock
  }

  /** How each is doing, in order. */
  get states(): readonly ServerState[] {
    return this.#servers.map((server) => ({
      name: server.name,
      isUp: () => server.state === 'closed',
    }))
  }

  /** The first server of which that holds. */
  find(holds: (server: Server) => boolean): Server | undefined {
    return this.#servers.find(holds)
  }

  /**
   * Sends a request to the first server that answers.
   *
   * @throws RadiusFailure; the signal's reason when it aborts
   */
  async ask(content: RequestContent, deadline: Deadline): Promise<Answer> {
    const failures: RadiusFailure[] = []
    for (const [index, server] of this.#servers.entries()) {
      const remaining = this.#servers
        .slice(index + 1)
        .filter(({ state }) => state !== 'open').length
      try {
        const reply = await this.askOne(server, content, deadline, remaining)
        if (reply !== undefined) return { server, reply }
      } catch (cause) {
        if (!(cause instanceof RadiusFailure)) throw cause
        failures.push(cause)
      }
    }
    throw failureOf(failures, this.#servers)
  }

  /**
   * Sends a request to one server; `undefined` when that is down.
   *
   * @param remaining how many further servers can be tried, for which time must be left
   */
  async askOne(
    server: Server,
    content: RequestContent,
    { until, signal }: Deadline,
    remaining = 0,
  ): Promise<Packet | undefined> {
    if (server.state === 'open') return undefined
    if (server.state === 'due' && server.hasProbe) {
      const probe = server.probe()
      // If another server can be tried, the result of this trial is for the next request.
      if (remaining > 0 || !(await probe)) return undefined
    }
    const share = Math.max(0, until - this.#clock.monotonic()) / (remaining + 1)
    const trial = server.state === 'due' && remaining > 0
    const limit = trial ? Math.min(share, this.#interval) : share
    return await server.ask(content, { limit, last: remaining === 0, signal })
  }

  close(): void {
    for (const server of this.#servers) server.close()
  }
}

const failureOf = (
  failures: readonly RadiusFailure[],
  servers: readonly Server[],
): RadiusFailure => {
  const [last] = failures.toReversed()
  if (last === undefined) {
    const reasons = servers.flatMap(({ failure }) => failure?.message ?? []).join('; ')
    return new RadiusFailure('servers-down', `every RADIUS server is down: ${reasons}`)
  }
  const message = failures.map((failure) => failure.message).join('; ')
  const { reason } = failures.find(isUnsigned) ?? last
  return new RadiusFailure(reason, message, { cause: failures })
}

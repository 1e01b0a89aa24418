// Passwords verified by RADIUS servers (RFC 2865): over UDP, hardened against CVE-2024-3596, or over TLS (RFC 6614).
// The password is sent as PAP: over UDP only MD5 and the shared secret hide it.

import { createHash } from 'node:crypto'
import type { Clock } from '../../../runtime/clock.ts'
import { countedSource } from '../../../runtime/counted-source.ts'
import type { ServerState } from '../../../runtime/server-state.ts'
import {
  ATTRIBUTE,
  REPLY,
  valuesOf,
  type Packet,
  type RequestContent,
} from '../../../clients/radius/packet.ts'
import { userOf, messageOf } from './user.ts'
import { isUnsigned, RadiusFailure } from '../../../clients/radius/failure.ts'
import { RequestLimiter } from '../../../clients/radius/limiter.ts'
import type { RequestTemplate } from '../../../clients/radius/request.ts'
import type { Server } from '../../../clients/radius/server.ts'
import { Servers, type Answer, type Deadline } from '../../../clients/radius/servers.ts'
import type { RadiusTuning } from '../../../clients/radius/tuning.ts'
import type { RadiusSettings } from './schema.ts'
import type {
  AccountLookup,
  PasswordVerifier,
  Verification,
  VerificationContext,
} from '../verifier.ts'

/** What a verifier uses besides its settings. */
export interface RadiusResources {
  readonly clock: Clock
  /** Of the settings; see {@link connectServer}. */
  readonly servers: readonly Server[]
  readonly template: RequestTemplate
  readonly tuning: RadiusTuning
}

/** The question of an Access-Challenge that has none. */
const QUESTION = 'Enter the code'

// The prefix of the state of a challenge, which identifies the server.
const TAG_LENGTH = 4

/**
 * Verifies passwords at RADIUS servers. Unused for a minute, it holds no socket.
 *
 * RADIUS cannot distinguish an unknown user from a wrong password; see `onReject`.
 *
 * A password of more than 128 bytes (RFC 2865 §5.2) or a name of more than 253 cannot be sent: it has the same outcome
 * as an Access-Reject.
 */
export class RadiusVerifier implements PasswordVerifier, AsyncDisposable {
  readonly #settings: RadiusSettings
  readonly #template: RequestTemplate
  readonly #servers: Servers
  readonly #limiter: RequestLimiter
  readonly #clock: Clock

  constructor(settings: RadiusSettings, { clock, servers, template, tuning }: RadiusResources) {
    this.#settings = settings
    this.#template = template
    this.#servers = new Servers(servers, tuning.retransmitAfter, clock)
    this.#limiter = new RequestLimiter(tuning.concurrency, tuning.queue)
    this.#clock = clock
  }

  async verify(
    user: string,
    password: string,
    { source, signal }: VerificationContext,
  ): Promise<Verification> {
    const content = this.#template.access({ user, password, source })
    return await this.#prove({ user, source, signal }, content, (request, deadline) =>
      this.#servers.ask(request, deadline),
    )
  }

  /**
   * Answers a challenge at the server that sent it, since no other server knows it. The result may be a further
   * challenge.
   *
   * @param state of the challenge, unchanged
   */
  async answerChallenge(
    user: string,
    answer: string,
    state: Uint8Array,
    { source, signal }: VerificationContext,
  ): Promise<Verification> {
    const tag = state.subarray(0, TAG_LENGTH)
    const content = this.#template.access({
      user,
      password: answer,
      source,
      state: state.subarray(TAG_LENGTH),
    })
    return await this.#prove({ user, source, signal }, content, async (request, deadline) => {
      const server = this.#servers.find(({ name }) => tagOf(name).equals(tag))
      const reply = server && (await this.#servers.askOne(server, request, deadline))
      if (server !== undefined && reply !== undefined) return { server, reply }
      throw new RadiusFailure(
        'servers-down',
        'the RADIUS server that sent the challenge is down or not configured',
      )
    })
  }

  /** RADIUS has no lookup of a user without the password (RFC 2865 §4.1). */
  async lookup(): Promise<AccountLookup> {
    return { outcome: 'unsupported' }
  }

  /** The status of its servers. */
  get servers(): readonly ServerState[] {
    return this.#servers.states
  }

  /** Closes every socket and connection; requests under way end as `unavailable`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#servers.close()
  }

  async #prove(
    { user, source, signal }: VerificationContext & { readonly user: string },
    content: RequestContent | undefined,
    ask: (content: RequestContent, deadline: Deadline) => Promise<Answer>,
  ): Promise<Verification> {
    const { timeout, onReject } = this.#settings
    try {
      signal.throwIfAborted()
      if (content === undefined) return { outcome: onReject }
      const until = this.#clock.monotonic() + timeout
      const answer = await this.#limiter.run(countedSource(source), timeout, signal, () =>
        ask(content, { until, signal }),
      )
      return this.#outcomeOf(user, answer)
    } catch (cause) {
      const refused = isUnsigned(cause) && cause.reason === 'unsigned-reject'
      return { outcome: 'unavailable', cause, ...(refused ? { counts: true } : {}) }
    }
  }

  #outcomeOf(user: string, { server, reply }: Answer): Verification {
    if (reply.code === REPLY.accept) {
      const found = userOf(reply, user, this.#settings)
      if (found !== undefined) return { outcome: 'verified', user: found }
      const message = `${server.name}: the User-Name of an Access-Accept is not valid UTF-8`
      return { outcome: 'unavailable', cause: new RadiusFailure('not-understood', message) }
    }
    if (reply.code === REPLY.challenge) {
      const state = [tagOf(server.name), ...valuesOf(reply, ATTRIBUTE.State)]
      const message = messageOf(reply) || QUESTION
      const challenge = { message, echo: isEchoed(reply), state: Buffer.concat(state) }
      return { outcome: 'challenged', challenge }
    }
    return { outcome: this.#settings.onReject }
  }
}

// RFC 2869 §5.10: four octets, 1 for "Echo". No setting refers to it, so ATTRIBUTE does not have it.
const PROMPT = 76

const isEchoed = (challenge: Packet): boolean =>
  valuesOf(challenge, PROMPT).some((value) => Buffer.from(value).equals(Buffer.of(0, 0, 0, 1)))

const tagOf = (server: string): Buffer =>
  createHash('sha256').update(server).digest().subarray(0, TAG_LENGTH)

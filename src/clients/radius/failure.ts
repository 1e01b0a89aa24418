// Why a RADIUS server gave no reply.

import { DependencyFailure } from '../../runtime/dependency-failure.ts'

/** Every reason there is. */
export type RadiusFailureReason =
  | 'unanswered' // no valid reply arrived in time
  | 'unsigned' // the reply lacks Message-Authenticator, and was discarded
  | 'unsigned-reject' // the same of an Access-Reject
  | 'unreachable' // the machine, the port or the name
  | 'untrusted' // the TLS handshake failed, from our side or theirs
  | 'connection-lost'
  | 'servers-down' // all circuit breakers are open; nothing was sent
  | 'overloaded' // too many verifications under way
  | 'not-understood' // an answer in the server's name that cannot be used

/** An expected failure; becomes the cause of `unavailable`. Never holds a secret or a password. */
export class RadiusFailure extends DependencyFailure {
  readonly reason: RadiusFailureReason

  constructor(
    reason: RadiusFailureReason,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
    this.name = 'RadiusFailure'
    this.reason = reason
  }

  /** With the names of the servers, and nothing of the request. */
  get summary(): string {
    return `RADIUS: ${this.message}`
  }
}

/** Whether a server answered, and its reply was discarded because it lacks `Message-Authenticator`. */
export const isUnsigned = (
  cause: unknown,
): cause is RadiusFailure & { readonly reason: 'unsigned' | 'unsigned-reject' } =>
  cause instanceof RadiusFailure &&
  (cause.reason === 'unsigned' || cause.reason === 'unsigned-reject')

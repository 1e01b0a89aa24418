// Why a RADIUS server gave no reply.

/** Every reason there is. */
export type RadiusFailureReason =
  | 'unanswered' // no valid reply arrived in time
  | 'unreachable' // the machine, the port or the name
  | 'untrusted' // the TLS handshake failed, from our side or theirs
  | 'connection-lost'
  | 'servers-down' // all circuit breakers are open; nothing was sent
  | 'overloaded' // too many verifications under way
  | 'not-understood' // an answer in the server's name that cannot be used

/** An expected failure; becomes the cause of `unavailable`. Never holds a secret or a password. */
export class RadiusFailure extends Error {
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
}

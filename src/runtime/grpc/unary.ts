// The seam between a gRPC server and its unary methods. No promise, timer or signal is made for a call that is answered at
// once: what makes them asks for them.

/** A call of a unary method that has not been answered. */
export interface UnaryCall {
  /** When the client stops waiting, in milliseconds since the epoch; infinity where it does not say (`grpc-timeout`). */
  readonly deadline: number
  /** The client's place in a trace (W3C Trace Context, `traceparent`), as it sent it. */
  readonly traceparent?: string | undefined
  /**
   * Answers with a message, once; does nothing after the client has cancelled. The bytes may change when it has returned.
   */
  answer(message: Uint8Array): void
  /** Calls the listener when the client goes away before it is answered. A call has at most one. */
  onCancelled(listener: () => void): void
}

/** A unary method (gRPC over HTTP/2, "Requests"). */
export interface UnaryMethod {
  /** `/package.Service/Method`. */
  readonly path: string
  /**
   * Handles a call: answers it now or later, in every case, also when the client has cancelled. It must not throw; if it
   * does, that is logged and answered with INTERNAL.
   *
   * @param message the request, without the prefix of gRPC; valid until the call is answered
   */
  handle(message: Buffer, call: UnaryCall): void
  /**
   * Called when all calls that arrived together have been handled, before their answers leave: those that it gives leave in
   * the same write. So the audit log is written once for all of them. It must not throw. A server that takes each call by
   * itself does not call it.
   */
  flush?(): void
}

/** Why the signal of a call is aborted while its client waits: its time is nearly over. */
export class DeadlineNear extends Error {
  /** How long the client waits, from the arrival of the call; in milliseconds. */
  readonly patience: number

  constructor(patience: number) {
    super('the deadline of the call is near')
    this.patience = patience
  }
}

// Time to make the denial, audit it and send it: after the deadline Envoy ignores the answer.
const DEADLINE_MARGIN_MS = 150

/**
 * Aborts when the client goes away, and, with {@link DeadlineNear}, a moment before it would stop to wait.
 *
 * @returns what ends that, to be called when the call is decided
 */
export const abortWith = (controller: AbortController, call: UnaryCall): (() => void) => {
  call.onCancelled(() => controller.abort())
  const left = call.deadline - Date.now()
  if (!Number.isFinite(left)) return () => undefined
  const timer = setTimeout(
    () => controller.abort(new DeadlineNear(left)),
    Math.max(left / 2, left - DEADLINE_MARGIN_MS),
  )
  return () => clearTimeout(timer)
}

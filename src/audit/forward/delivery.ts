// The seam between the forwarder and a kind of sink.

import type { LogRecord } from './log-reader.ts'

/** Sends batches to one server. */
export interface Delivery extends AsyncDisposable {
  /**
   * Sends a batch, in its order.
   *
   * Resolves when the server has acknowledged it. Rejects with {@link NotTaken} when the server refused it, and with another
   * error when it is not known what the server has.
   */
  send(batch: readonly LogRecord[], signal: AbortSignal): Promise<void>
}

/** The server refused a batch. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
  /** Whether a record of the batch may be the reason, or its size. */
  readonly isAboutContent: boolean
  /** For how long the server wants no requests, in milliseconds. */
  readonly retryAfter: number | undefined

  constructor(
    message: string,
    options: { readonly isAboutContent: boolean; readonly retryAfter?: number | undefined },
  ) {
    super(message)
    this.isAboutContent = options.isAboutContent
    this.retryAfter = options.retryAfter
  }
}

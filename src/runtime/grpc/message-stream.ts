// Streams of messages as a method sees them, whichever server received them.

import type { GrpcStatus } from './framing.ts'

/** A stream as the method sees it that serves it. */
export interface MessageStream {
  /** Sends a message; does nothing when the stream is over. The bytes must not change afterwards. */
  send(message: Uint8Array): void
  /** Ends the stream; does nothing when it is over. */
  end(status: GrpcStatus): void
  /**
   * Whether the stream is in use from now on, as none is at first. When there are too many streams, the
   * server ends those that are not.
   */
  setInUse(inUse: boolean): void
}

/** What a method does with one stream. A throw is a bug, is logged, and ends this stream alone. */
export interface StreamHandler {
  /** Takes a message. The bytes belong to the caller: keep a copy of them only. */
  receive(message: Buffer): void
  /** Called after the last message. The stream stays open until the handler or the peer ends it. */
  finished(): void
  /** Called once, however the stream ended. */
  closed(): void
}

/** A method that takes messages for as long as the caller keeps its stream open. */
export interface StreamMethod {
  /** `/package.Service/Method`. */
  readonly path: string
  open(stream: MessageStream): StreamHandler
}

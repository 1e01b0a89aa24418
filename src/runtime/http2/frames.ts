// The numbers of RFC 9113, and what goes into the head of a frame.

/** Frame types (§6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Flags of frames (§6); their meaning depends on the type. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** Error codes (§7). */
export const ERROR = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const

/** One of {@link ERROR}. */
export type ErrorNumber = (typeof ERROR)[keyof typeof ERROR]

/** What a client sends first (§3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** The head of a frame (§4.1): length, type, flags, stream. */
export const FRAME_HEAD_BYTES = 9

/** The size of every window before SETTINGS and WINDOW_UPDATE change it (§6.9.2). */
export const DEFAULT_WINDOW = 65_535

/** The largest window (§6.9.1), and the largest stream identifier (§5.1.1). */
export const MAX_31_BITS = 0x7f_ff_ff_ff

/** The smallest value of SETTINGS_MAX_FRAME_SIZE, and its default (§6.5.2). */
export const DEFAULT_FRAME_SIZE = 16_384

/** An error of the whole connection (§5.4.1): GOAWAY with the code ends it. */
export class ConnectionError extends Error {
  readonly code: ErrorNumber

  constructor(code: ErrorNumber, message: string) {
    super(message)
    this.code = code
  }
}

/** Writes the head of a frame at `at`. */
export const writeFrameHead = (
  into: Buffer,
  at: number,
  length: number,
  typeAndFlags: number,
  stream: number,
): void => {
  // Byte by byte: twice as fast as the methods of Buffer.
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = typeAndFlags >>> 8
  into[at + 4] = typeAndFlags
  write32(into, at + 5, stream)
}

/** The type and the flags as {@link writeFrameHead} takes them. */
export const typeAndFlags = (type: number, flags: number): number => (type << 8) | flags

/** Writes a number of 32 bits. */
export const write32 = (into: Buffer, at: number, value: number): void => {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
}

/** Reads a number of 31 bits; the first bit is reserved and ignored. */
export const read31 = (bytes: Buffer, at: number): number =>
  (((bytes[at] ?? 0) & 0x7f) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0)

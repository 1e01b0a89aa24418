// What every frame of a type must keep to, whatever the state of the connection (RFC 9113 §6).

import { ConnectionError, ERROR, read31 } from './frames.ts'

/** The length of a payload that is one number. */
export const NUMBER_BYTES = 4

/** The length of what HEADERS with the PRIORITY flag and PRIORITY begin with. */
export const PRIORITY_BYTES = 5

/** The frame is of a stream. */
export const requireStream = (stream: number): void => {
  if (stream === 0) throw new ConnectionError(ERROR.protocol, 'a frame without a stream')
}

/** The frame is of the connection. */
export const requireNoStream = (stream: number): void => {
  if (stream === 0) return
  throw new ConnectionError(ERROR.protocol, 'a frame of the connection on a stream')
}

/** The payload has that length. */
export const requireLength = (length: number, wanted: number): void => {
  if (length !== wanted) throw new ConnectionError(ERROR.frameSize, 'a frame of a wrong length')
}

/** The stream that a PRIORITY frame names, as far as it is there. */
export const dependencyIn = (bytes: Buffer, start: number, end: number): number =>
  end - start >= NUMBER_BYTES ? read31(bytes, start) : 0

/** How many octets of padding a payload with the PADDED flag ends with (§6.1). */
export const paddingIn = (bytes: Buffer, start: number, end: number): number => {
  if (start === end) throw new ConnectionError(ERROR.frameSize, 'the length of padding is missing')
  const padding = bytes[start] ?? 0
  if (start + 1 + padding > end) throw new ConnectionError(ERROR.protocol, 'too much padding')
  return padding
}

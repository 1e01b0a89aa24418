// Frames of HTTP/2 (RFC 9113 §4, §6), as far as the client of the bench sends and reads them.

/** Types of frames. */
export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Flags of frames; `ack` is of SETTINGS and PING. */
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** Settings (§6.5.2). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
} as const

/** Of every frame (§4.1). */
export const HEADER_LENGTH = 9

/** What a peer accepts that has not said more (§4.2). */
const MAX_FRAME_SIZE = 16_384

/** What a window is before anything was said (§6.9.2). */
export const INITIAL_WINDOW = 65_535

/** A whole frame. */
export const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(HEADER_LENGTH)
  header.writeUIntBE(payload.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

/** The preface of a client (§3.4) with its SETTINGS, and as much window as there can be. */
export const clientPreface = (): Buffer => {
  const settings = Buffer.alloc(18)
  const set = (at: number, setting: number, value: number): void => {
    settings.writeUInt16BE(setting, at)
    settings.writeUInt32BE(value, at + 2)
  }
  set(0, SETTING.headerTableSize, 0)
  set(6, SETTING.enablePush, 0)
  set(12, SETTING.initialWindowSize, LARGEST_WINDOW)
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(FRAME.settings, 0, 0, settings),
    windowUpdate(LARGEST_WINDOW - INITIAL_WINDOW),
  ])
}

/** §6.9.1 */
const LARGEST_WINDOW = 2 ** 31 - 1

/** More window for the connection. */
export const windowUpdate = (bytes: number): Buffer => {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(bytes)
  return frame(FRAME.windowUpdate, 0, 0, payload)
}

/** A request, whole: what it is made of once, before anything is measured. */
export interface PreparedRequest {
  /** HEADERS, and DATA where there is a body; the places of the stream's id are empty. */
  readonly bytes: Buffer
  /** Where DATA begins; 0 where there is no body. */
  readonly dataAt: number
  /** The length of DATA, which counts against the windows of the peer. */
  readonly dataLength: number
}

/** Makes a request of an encoded header block and a body. */
export const prepareRequest = (block: Buffer, body?: Buffer): PreparedRequest => {
  if (Math.max(block.length, body?.length ?? 0) > MAX_FRAME_SIZE) {
    throw new Error('a request that does not fit into one frame')
  }
  const flags = FLAG.endHeaders | (body === undefined ? FLAG.endStream : 0)
  const headers = frame(FRAME.headers, flags, 0, block)
  if (body === undefined) return { bytes: headers, dataAt: 0, dataLength: 0 }
  return {
    bytes: Buffer.concat([headers, frame(FRAME.data, FLAG.endStream, 0, body)]),
    dataAt: headers.length,
    dataLength: body.length,
  }
}

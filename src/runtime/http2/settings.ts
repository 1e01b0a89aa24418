// SETTINGS of both sides (RFC 9113 §6.5).

import {
  ConnectionError,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  ERROR,
  MAX_31_BITS,
} from './frames.ts'

/** Identifiers (§6.5.2). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** The length of a parameter: an identifier and a value. */
export const PARAMETER_BYTES = 6
const LARGEST_FRAME_SIZE = 16_777_215

/**
 * The settings of the peer that bind a server which pushes nothing and has no dynamic table. Other settings
 * are checked and ignored: SETTINGS_MAX_HEADER_LIST_SIZE is advice.
 */
export interface PeerSettings {
  /** The window of every stream for what we send. */
  initialWindow: number
  /** The largest payload that we send. */
  maxFrameSize: number
}

/** The settings of a peer that has sent none. */
export const defaultSettings = (): PeerSettings => ({
  initialWindow: DEFAULT_WINDOW,
  maxFrameSize: DEFAULT_FRAME_SIZE,
})

/**
 * Applies the parameters of a SETTINGS frame in their order (§6.5.3); unknown ones are ignored.
 *
 * @throws ConnectionError for a value that is not valid
 */
export const applySettings = (
  settings: PeerSettings,
  bytes: Buffer,
  start: number,
  end: number,
): void => {
  if ((end - start) % PARAMETER_BYTES !== 0) {
    throw new ConnectionError(ERROR.frameSize, 'SETTINGS of a wrong length')
  }
  for (let at = start; at < end; at += PARAMETER_BYTES) {
    const value = bytes.readUInt32BE(at + 2)
    switch (bytes.readUInt16BE(at)) {
      case SETTING.enablePush:
        if (value > 1) throw new ConnectionError(ERROR.protocol, 'wrong SETTINGS_ENABLE_PUSH')
        break
      case SETTING.initialWindowSize:
        if (value > MAX_31_BITS) {
          throw new ConnectionError(ERROR.flowControl, 'wrong SETTINGS_INITIAL_WINDOW_SIZE')
        }
        settings.initialWindow = value
        break
      case SETTING.maxFrameSize:
        if (value < DEFAULT_FRAME_SIZE || value > LARGEST_FRAME_SIZE) {
          throw new ConnectionError(ERROR.protocol, 'wrong SETTINGS_MAX_FRAME_SIZE')
        }
        settings.maxFrameSize = value
        break
    }
  }
}

/** The payload of a SETTINGS frame. */
export const encodeSettings = (
  parameters: readonly (readonly [id: number, value: number])[],
): Buffer => {
  const payload = Buffer.alloc(parameters.length * PARAMETER_BYTES)
  parameters.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * PARAMETER_BYTES)
    payload.writeUInt32BE(value, index * PARAMETER_BYTES + 2)
  })
  return payload
}

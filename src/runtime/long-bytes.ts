// Many bytes, hashed and copied in slices: a file of 35 MB would block the event loop for 20 ms or more.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Slices } from './slices.ts'

// Less than the default: several of them follow one another while a CRL is read.
const SLICE_MS = 1

// Some 0.3 ms of SHA-256.
const PIECE_BYTES = 262_144
const SHORTEST_PIECE = 4_096

/** Calls `take` with all of the bytes, piece by piece, in slices. */
export const inPieces = async (bytes: Buffer, take: (piece: Buffer) => void): Promise<void> => {
  const slices = new Slices(SLICE_MS)
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    await slices.pause()
    take(bytes.subarray(at, at + PIECE_BYTES))
  }
}

/** The SHA-256 of many bytes, computed in slices. */
export const sha256InSlices = async (bytes: Buffer): Promise<Buffer> => {
  const hash = createHash('sha256')
  await inPieces(bytes, (piece) => hash.update(piece))
  return hash.digest()
}

/**
 * The SHA-256 of a file, which is read piece by piece into the same memory: 35 MB that are garbage afterwards have the
 * whole heap collected, which pauses the event loop for 10 ms or more. Rejects as `open` and `read` of Node do.
 */
export const sha256OfFile = async (path: string): Promise<Buffer> => {
  await using handle = await open(path)
  const { size } = await handle.stat()
  // One byte more, by which a file that grows is noticed; some files have no size.
  const piece = Buffer.allocUnsafeSlow(Math.min(Math.max(size + 1, SHORTEST_PIECE), PIECE_BYTES))
  const hash = createHash('sha256')
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, piece.length)
    if (bytesRead === 0) return hash.digest()
    hash.update(piece.subarray(0, bytesRead))
  }
}

/** {@link Buffer.concat} of many bytes, in slices. */
export const concatInSlices = async (parts: readonly Buffer[]): Promise<Buffer> => {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  const slices = new Slices(SLICE_MS)
  let at = 0
  for (const part of parts) {
    await slices.pause()
    at += part.copy(whole, at)
  }
  return whole
}

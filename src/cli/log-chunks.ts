// The bytes of a log file, as they were before rotation compressed them.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CountersignError, describeError } from '../runtime/errors.ts'

const READ_BYTES = 262_144
const GZIP = Buffer.from([0x1f, 0x8b])

/**
 * A file, unpacked where it is gzip's, whatever its name; `-` is standard input, as it is.
 *
 * The iteration throws CountersignError `file-unreadable`.
 */
export async function* logChunks(file: string, stdin: Readable): AsyncGenerator<Uint8Array, void> {
  try {
    yield* file === '-' ? stdin : await unpacked(resolve(file))
  } catch (cause) {
    const message = `${file} cannot be read: ${describeError(cause)}`
    throw new CountersignError('file-unreadable', message, { cause })
  }
}

const unpacked = async (path: string): Promise<AsyncIterable<Uint8Array>> => {
  const packed = await isPacked(path)
  const stream = createReadStream(path, { highWaterMark: READ_BYTES })
  if (!packed) return stream
  const gunzip = createGunzip({ chunkSize: READ_BYTES })
  stream.on('error', (cause) => gunzip.destroy(cause))
  gunzip.on('close', () => stream.destroy())
  return stream.pipe(gunzip)
}

/** Pipes are not inspected, since data that was read cannot be read again. */
const isPacked = async (path: string): Promise<boolean> => {
  await using handle = await open(path)
  if (!(await handle.stat()).isFile()) return false
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0)
  return bytesRead === GZIP.length && buffer.equals(GZIP)
}

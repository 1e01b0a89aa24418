// The bytes of a log file, as they were before rotation compressed them.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { nodeZlib } from '../runtime/lazy-modules.ts'

const READ_BYTES = 262_144
// RFC 1952 §2.3.1, RFC 8878 §3.1.1.
const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTANDARD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/**
 * A file, unpacked where it is gzip's or Zstandard's, whatever its name; `-` is standard input, as it is.
 *
 * The iteration throws CountersignError `file-unreadable`.
 */
export async function* logChunks(
  file: string,
  stdin: Readable = process.stdin,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* file === '-' ? stdin : await unpacked(resolve(file))
  } catch (cause) {
    const message = `${file} cannot be read: ${describeError(cause)}`
    throw new CountersignError('file-unreadable', message, { cause })
  }
}

const unpacked = async (path: string): Promise<AsyncIterable<Uint8Array>> => {
  const unpacker = unpackerOf(await beginning(path))
  const stream = createReadStream(path, { highWaterMark: READ_BYTES })
  if (unpacker === undefined) return stream
  stream.on('error', (cause) => unpacker.destroy(cause))
  unpacker.on('close', () => stream.destroy())
  return stream.pipe(unpacker)
}

const unpackerOf = (bytes: Buffer) => {
  const options = { chunkSize: READ_BYTES }
  if (bytes.subarray(0, GZIP.length).equals(GZIP)) return nodeZlib().createGunzip(options)
  return bytes.equals(ZSTANDARD) ? nodeZlib().createZstdDecompress(options) : undefined
}

/** The first bytes. Of pipes none, since data that was read cannot be read again. */
const beginning = async (path: string): Promise<Buffer> => {
  await using handle = await open(path)
  if (!(await handle.stat()).isFile()) return Buffer.alloc(0)
  const bytes = Buffer.alloc(ZSTANDARD.length)
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
  return bytes.subarray(0, bytesRead)
}

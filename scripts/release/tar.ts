// tar archives (POSIX.1-2017, pax: ustar headers) whose bytes depend on their entries alone: sorted, one time, one owner.

import { constants, gzipSync } from 'node:zlib'

/** One entry of an archive. */
export interface Entry {
  /** With slashes, without one at the beginning; a folder's ends with one. */
  readonly path: string
  /** Bytes of a file; a link's target; nothing for a folder. */
  readonly content?: Buffer | { readonly link: string }
  /** Permission bits: by default those of a folder, or of a file that is not executable. */
  readonly mode?: number
  /** The number of its user and of its group: by default those of root. */
  readonly owner?: number
}

const BLOCK = 512
const NAME_BYTES = 100
const PREFIX_BYTES = 155

/**
 * The archive.
 *
 * @param time of every entry, in seconds since the epoch
 * @throws RangeError when a path is too long for a ustar header
 */
export const tar = (entries: readonly Entry[], time: number): Buffer => {
  // By code units, which no locale changes.
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const blocks = sorted.flatMap((entry) => {
    const { content } = entry
    const bytes = Buffer.isBuffer(content) ? content : Buffer.alloc(0)
    const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)
    return [header(entry, bytes.length, time), bytes, padding]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

/** gzip (RFC 1952) without a name or time, and with one value for the operating system. */
export const gzip = (bytes: Buffer): Buffer => {
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION })
  packed[9] = 255 // unknown
  return packed
}

const header = ({ path, content, mode, owner = 0 }: Entry, size: number, time: number): Buffer => {
  const isFolder = path.endsWith('/')
  const link = content !== undefined && !Buffer.isBuffer(content) ? content.link : undefined
  const block = Buffer.alloc(BLOCK)
  const { name, prefix } = namesOf(path)
  block.write(name, 0)
  block.write(octal(mode ?? (isFolder ? 0o755 : 0o644), 8), 100)
  block.write(octal(owner, 8), 108) // user
  block.write(octal(owner, 8), 116) // group
  block.write(octal(size, 12), 124)
  block.write(octal(time, 12), 136)
  block.write(' '.repeat(8), 148) // what the sum is made with
  block.write(link !== undefined ? '2' : isFolder ? '5' : '0', 156)
  block.write(link ?? '', 157, NAME_BYTES)
  block.write('ustar\u000000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148)
  return block
}

const octal = (value: number, length: number): string =>
  `${value.toString(8).padStart(length - 1, '0')}\u0000`

/** The path in the two fields of a header, which are joined by a slash. */
const namesOf = (path: string): { readonly name: string; readonly prefix: string } => {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { name: path, prefix: '' }
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)]
    const fits = Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(name) <= NAME_BYTES
    if (fits && name !== '') return { name, prefix }
  }
  throw new RangeError(`too long for a tar header: ${path}`)
}

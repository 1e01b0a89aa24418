// The bytes of a log → its lines, as they are in the file. Nothing is parsed.

/** A line, by its number, counted from 1. */
export interface RawLine {
  readonly line: number
  /** Where it begins in the file, in bytes. */
  readonly offset: number
  /** Without the line feed. Empty where it is too long. */
  readonly bytes: Buffer
  /** Whether a line feed ends it. */
  readonly isWhole: boolean
  readonly isTooLong: boolean
}

const LINE_FEED = 0x0a
// As for other readers of the log: an event takes some 10 KB at most.
const MAX_LINE = 1_048_576
const NOTHING = Buffer.alloc(0)

/**
 * Splits a file into lines: those of one chunk at a time, since an iteration for each would take longer than what is done with it.
 * Holds one chunk and one line at most.
 *
 * @param chunks of one file, in order; an error in reading them is thrown on
 */
export async function* rawLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly RawLine[], void> {
  let line = 0
  let offset = 0
  let parts: Buffer[] = []
  let length = 0
  const ended = (isWhole: boolean): RawLine => {
    const isTooLong = length > MAX_LINE
    const [only = NOTHING, ...more] = parts
    const bytes = isTooLong ? NOTHING : more.length === 0 ? only : Buffer.concat(parts)
    const ending = { line: (line += 1), offset, bytes, isWhole, isTooLong }
    offset += length + 1
    parts = []
    length = 0
    return ending
  }
  const add = (part: Buffer): void => {
    length += part.length
    if (length > MAX_LINE) parts = []
    else if (part.length > 0) parts.push(part)
  }
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: RawLine[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, start)
      add(bytes.subarray(start, end === -1 ? undefined : end))
      if (end === -1) break
      lines.push(ended(true))
      start = end + 1
    }
    yield lines
  }
  if (length > 0) yield [ended(false)]
}

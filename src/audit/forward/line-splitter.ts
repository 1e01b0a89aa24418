// Bytes that come in pieces → the lines that are whole. The rest waits for the next piece.

/** A whole line. */
export interface WholeLine {
  /** Without the line feed. */
  readonly bytes: Buffer
  /** Where it ends, after its line feed, in bytes from the beginning. */
  readonly end: number
}

const LINE_FEED = 0x0a
// As for other readers of the log: an event takes some 10 KB at most.
const MAX_LINE = 1_048_576

/** Splits the bytes of one file. Lines of more than 1 MiB are left out. */
export class LineSplitter {
  #parts: Buffer[] = []
  #length = 0
  #at = 0

  /** The lines that end in this piece. */
  split(piece: Uint8Array): readonly WholeLine[] {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const lines: WholeLine[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, start)
      this.#add(bytes.subarray(start, end === -1 ? undefined : end))
      if (end === -1) break
      const isTooLong = this.#length > MAX_LINE
      const [only, ...more] = this.#parts
      if (!isTooLong && only !== undefined) {
        const whole = more.length === 0 ? only : Buffer.concat(this.#parts)
        lines.push({ bytes: whole, end: this.#at + end + 1 })
      }
      this.#parts = []
      this.#length = 0
      start = end + 1
    }
    this.#at += bytes.length
    return lines
  }

  #add(part: Buffer): void {
    this.#length += part.length
    if (this.#length > MAX_LINE) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }
}

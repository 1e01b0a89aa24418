// Standard output of the workers → that of the supervisor, by whole lines: longer writes of several processes to one pipe may
// mix. A line counts as written for a worker when its supervisor has it.

import { write } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describeError, hasCode } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'

const STANDARD_OUTPUT = 1
const NEWLINE = 0x0a
// A reader that takes nothing stops the workers, as a full pipe does: their own pipes fill up.
const PAUSE_MS = 1

const writeSome = promisify(write)

/** Writes what it reads from several sources, line by line. */
export class WholeLines {
  readonly #logger: Logger
  readonly #descriptor: number
  /** The write that is under way, or the last one. */
  #turn: Promise<void> = Promise.resolve()

  constructor(logger: Logger, descriptor = STANDARD_OUTPUT) {
    this.#logger = logger
    this.#descriptor = descriptor
  }

  /**
   * Copies a source to its end. Where a line cannot be written the source is closed, so that the worker gets an error for
   * its next event, and refuses what it cannot record. Never rejects.
   */
  readonly copy = async (source: Readable): Promise<void> => {
    let rest: Buffer = Buffer.alloc(0)
    try {
      for await (const chunk of source) {
        const bytes = Buffer.concat([rest, chunk])
        const end = bytes.lastIndexOf(NEWLINE) + 1
        rest = bytes.subarray(end)
        if (end > 0) await this.#write(bytes.subarray(0, end))
      }
      // Of a worker that was killed while it wrote.
      if (rest.length > 0) await this.#write(Buffer.concat([rest, Buffer.from([NEWLINE])]))
    } catch (cause) {
      source.destroy()
      const reason = describeError(cause)
      this.#logger.error({ reason }, 'standard output of a worker cannot be written')
    }
  }

  async #write(lines: Buffer): Promise<void> {
    const before = this.#turn
    const written = before.catch(() => undefined).then(() => this.#writeAll(lines))
    this.#turn = written
    await written
  }

  async #writeAll(lines: Buffer): Promise<void> {
    for (let at = 0; at < lines.length;) {
      try {
        at += (await writeSome(this.#descriptor, lines, at)).bytesWritten
      } catch (cause) {
        if (!hasCode(cause, 'EAGAIN')) throw cause
        await sleep(PAUSE_MS)
      }
    }
  }
}

// The files of one audit log: the one that is written to, and the rotated ones, also where they are compressed.

import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from '../../runtime/errors.ts'
import { readChainFields, type ChainFields } from '../chain.ts'
import { logChunks } from '../log-chunks.ts'
import { rawLines } from '../raw-lines.ts'

/** A file of the log. */
export interface Segment {
  readonly path: string
  /** Identifies the file, whatever its name. */
  readonly id: string
  /** The bytes on the disk. */
  readonly size: number
  readonly modified: number
  /** Its first record. */
  readonly first: ChainFields
  readonly isPacked: boolean
}

// audit.jsonl.1, audit.jsonl-20261128T041500Z-000042.gz
const ROTATED = /^[.-]\d[\dTZ.-]*?(\.gz|\.zst)?$/
const PACKED = /\.(gz|zst)$/
const MOST_ATTEMPTS = 20
// A record is much shorter. What precedes the first one are events of older releases.
const MOST_BEFORE_FIRST = 16_777_216

/** Lists the files of a log. */
export class Segments {
  readonly #path: string
  /** The first records of rotated files that were read before. */
  #known = new Map<string, ChainFields>()

  /** @param path of the file that is written to */
  constructor(path: string) {
    this.#path = path
  }

  /**
   * All files with records, each chain in its order. What was compressed is there once.
   *
   * @throws what reading the folder throws, and where files are renamed again and again
   */
  async list(): Promise<readonly Segment[]> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const before = await this.#files()
      const segments = await this.#segmentsOf(before)
      // A file that is renamed meanwhile would be seen twice or not at all, and its records would be left out.
      if (isSame(before, await this.#files())) return onceEach(segments.toSorted(byPlace))
    }
    throw new Error('the files of the audit log are renamed again and again')
  }

  /** The files by name. */
  async #files(): Promise<ReadonlyMap<string, Stats>> {
    const name = basename(this.#path)
    const files = new Map<string, Stats>()
    for (const other of await readdir(dirname(this.#path))) {
      const ending = other.startsWith(name) ? other.slice(name.length) : '/'
      if (ending !== '' && !ROTATED.test(ending)) continue
      try {
        const status = await stat(join(dirname(this.#path), other))
        if (status.isFile()) files.set(other, status)
      } catch (cause) {
        if (!isGone(cause)) throw cause
      }
    }
    return files
  }

  async #segmentsOf(files: ReadonlyMap<string, Stats>): Promise<readonly Segment[]> {
    const known = new Map<string, ChainFields>()
    const segments: Segment[] = []
    for (const [name, status] of files) {
      if (status.size === 0) continue
      const path = join(dirname(this.#path), name)
      const id = fileId(status)
      const key = `${name} ${id} ${status.size} ${status.mtimeMs}`
      const first = this.#known.get(key) ?? (await firstRecord(path))
      if (first === undefined) continue
      // Not of the file that is written to: a new one may have the inode of one that was just deleted.
      if (path !== this.#path) known.set(key, first)
      const isPacked = PACKED.test(name)
      segments.push({ path, id, size: status.size, modified: status.mtimeMs, first, isPacked })
    }
    this.#known = known
    return segments
  }
}

/** Identifies a file, whatever its name. */
export const fileId = ({ dev, ino, birthtimeMs }: Stats): string => `${dev}:${ino}:${birthtimeMs}`

const isSame = (one: ReadonlyMap<string, Stats>, other: ReadonlyMap<string, Stats>): boolean =>
  one.size === other.size &&
  [...one].every(([name, status]) => {
    const now = other.get(name)
    return now !== undefined && fileId(now) === fileId(status)
  })

/** A file was renamed, compressed or deleted since the folder was read. */
export const isGone = (cause: unknown): boolean =>
  hasCode(cause, 'ENOENT') || (cause instanceof Error && hasCode(cause.cause, 'ENOENT'))

const byPlace = (one: Segment, other: Segment): number =>
  one.first.sequence - other.first.sequence || Number(one.isPacked) - Number(other.isPacked)

const onceEach = (segments: readonly Segment[]): readonly Segment[] =>
  segments.filter(
    ({ first }, index) => segments.findIndex((other) => other.first.hash === first.hash) === index,
  )

const firstRecord = async (path: string): Promise<ChainFields | undefined> => {
  try {
    for await (const lines of rawLines(logChunks(path))) {
      for (const { bytes, isWhole, offset } of lines) {
        const fields = isWhole ? readChainFields(bytes)?.fields : undefined
        if (fields !== undefined) return fields
        if (offset > MOST_BEFORE_FIRST) return undefined
      }
    }
  } catch (cause) {
    if (!isGone(cause)) throw cause
  }
  return undefined
}

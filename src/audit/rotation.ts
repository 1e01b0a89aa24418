// Rotation of the audit file by the process that writes it: when it is due, the names of rotated files, and what is done with
// them afterwards, which is outside of the event loop.

import { createReadStream, createWriteStream, existsSync, readdirSync, renameSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { nodeZlib } from '../runtime/lazy-modules.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RotateConfig } from './file-schema.ts'

// After a failure, which a full disk or a changed folder causes.
const RETRY_MS = 60_000
const FILE_MODE = 0o640
const NUMBER_DIGITS = 6
const PACKED = '.gz'
const PART = '.part'

interface Rotated {
  readonly name: string
  readonly number: number
  readonly isPacked: boolean
}

/** Rotated files that must not be deleted yet. */
export interface HeldFiles {
  /** Their paths. */
  held(): Promise<ReadonlySet<string>>
}

/** Rotates one audit file. */
export class Rotation {
  readonly #holder: HeldFiles | undefined
  /** Files were kept that would have been deleted. */
  #hasHeld = false
  readonly #path: string
  readonly #config: RotateConfig
  readonly #logger: Logger
  #notBefore = Number.NEGATIVE_INFINITY
  #cleaning: Promise<void> | undefined

  constructor(path: string, config: RotateConfig, logger: Logger, holder?: HeldFiles) {
    this.#holder = holder
    this.#path = path
    this.#config = config
    this.#logger = logger
  }

  /**
   * Whether the file is to be rotated.
   *
   * @param size the bytes in it
   * @param more the bytes that are to be written now
   * @param since when its first record was written, in milliseconds since the epoch
   */
  isDue(size: number, more: number, since: number, now: number): boolean {
    if (size === 0 || performance.now() < this.#notBefore) return false
    const { size: most, every } = this.#config
    if (most !== undefined && size + more > most) return true
    // A clock that jumps rotates once, either way.
    return every !== undefined && Math.floor(since / every) !== Math.floor(now / every)
  }

  /**
   * Renames the file.
   *
   * @param now milliseconds since the epoch
   * @returns undoes it
   */
  rename(now: number): () => void {
    const number = Math.max(0, ...this.#rotated(readdirSync(this.#folder)).map((one) => one.number))
    const time = new Date(now)
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(/[-:]/g, '')
    const count = `${number + 1}`.padStart(NUMBER_DIGITS, '0')
    const target = `${this.#path}-${time}-${count}`
    if (existsSync(target)) throw new Error(`${target} exists`)
    renameSync(this.#path, target)
    return () => renameSync(target, this.#path)
  }

  /** Reports that it failed; it is tried again after a minute. */
  failed(cause: unknown): void {
    this.#notBefore = performance.now() + RETRY_MS
    this.#logger.error({ err: cause, file: this.#path }, 'audit file not rotated')
  }

  /** Compresses and deletes rotated files as configured. Never rejects. */
  async clean(): Promise<void> {
    const before = this.#cleaning
    const cleaning = (async () => {
      await before
      await this.#clean()
    })()
    this.#cleaning = cleaning
    await cleaning
  }

  /** Deletes what had to be kept, where that has changed. Never rejects. */
  async cleanHeld(): Promise<void> {
    if (this.#hasHeld) await this.clean()
  }

  async #clean(): Promise<void> {
    const { keep, gzip } = this.#config
    this.#hasHeld = false
    try {
      const all = this.#rotated(await readdir(this.#folder))
      // After the names: a file that is rotated meanwhile is in neither.
      const held = await this.#holder?.held()
      const numbers = [...new Set(all.map(({ number }) => number))].toSorted((a, b) => a - b)
      const old = new Set(keep === undefined ? [] : numbers.slice(0, -keep))
      for (const { name, number, isPacked } of all) {
        const file = join(this.#folder, name)
        const isHeld = held?.has(file) === true
        this.#hasHeld ||= isHeld && old.has(number)
        if (old.has(number) && !isHeld) await rm(file, { force: true })
        else if (gzip && !isPacked) await pack(file)
      }
    } catch (cause) {
      this.#logger.error(
        { err: cause, file: this.#path },
        'rotated audit files not compressed or deleted',
      )
    }
  }

  get #folder(): string {
    return dirname(this.#path)
  }

  #rotated(names: readonly string[]): readonly Rotated[] {
    const beginning = `${basename(this.#path)}-`
    return names.flatMap((name) => {
      if (!name.startsWith(beginning)) return []
      const [, number, packed] = ROTATED.exec(name.slice(beginning.length)) ?? []
      if (number === undefined) return []
      return [{ name, number: Number(number), isPacked: packed !== undefined }]
    })
  }
}

const ROTATED = /^\d{8}T\d{6}Z-(\d{6,12})(\.gz)?$/

/** Compresses a file; the original is deleted when the result is on the disk. */
const pack = async (file: string): Promise<void> => {
  const part = `${file}${PACKED}${PART}`
  const { createGzip } = nodeZlib()
  await pipeline(createReadStream(file), createGzip(), createWriteStream(part, { mode: FILE_MODE }))
  {
    await using handle = await open(part)
    await handle.sync()
  }
  await rename(part, `${file}${PACKED}`)
  await rm(file)
}

// What of the audit log waits for its sinks, as the process that writes the log sees it: how much it is, which rotated files must stay,
// and when the bound is reached. It knows no server: it reads the positions that the forwarders write next to the log.

import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { NO_HASH } from './chain.ts'
import { positionFile, readPosition, writePosition, type Position } from './forward/position.ts'
import type { SinksConfig, SpoolConfig } from './forward/schema.ts'
import { Segments, type Segment } from './forward/segments.ts'
import { WaitingSince } from './waiting-since.ts'

/** What waits for one sink. */
export interface SinkBacklog {
  readonly bytes: number
  readonly records: number
  /** How long the oldest record has waited, in seconds; 0 where none waits. */
  readonly seconds: number
}

/** The end of the log, as its writer has it. */
export interface LogTail {
  readonly chain: string
  /** The number of the last record; 0 before the first. */
  readonly sequence: number
  readonly hash: string
  /** The bytes in the file that is written to. */
  readonly bytes: number
}

/** What it needs. */
export interface SpoolOptions {
  /** The audit file. */
  readonly path: string
  readonly sinks: SinksConfig
  readonly spool: SpoolConfig
  readonly clock: Clock
  readonly logger: Logger
}

/** A file of the chain that is no longer written to. */
interface Closed {
  readonly first: number
  readonly last: number
  readonly bytes: number
}

interface Sink {
  readonly name: string
  readonly positionFile: string
  position: Position | undefined
}

const REFRESH_MS = 1_000
const USUAL_BYTES = 1_024

/** The spool of one audit log. */
export class Spool implements Disposable {
  readonly #options: SpoolOptions
  readonly #sinks: readonly Sink[]
  readonly #segments: Segments
  readonly #since: WaitingSince
  #tail: () => LogTail = () => ({ chain: '', sequence: 0, hash: NO_HASH, bytes: 0 })
  #closed: Closed[] = []
  /** The number of the first record in the file that is written to. */
  #first = 1
  /** So many bytes in that file fill the spool, by the sink that has the least. */
  #fullAt = Number.POSITIVE_INFINITY
  #fullest = ''
  #timer: NodeJS.Timeout | undefined

  constructor(options: SpoolOptions) {
    this.#options = options
    this.#segments = new Segments(options.path)
    this.#since = new WaitingSince(options.clock)
    this.#sinks = Object.keys(options.sinks).map((name) => ({
      name,
      positionFile: positionFile(options.path, name),
      position: undefined,
    }))
  }

  /**
   * Begins to look at the log, before its first record is written. A sink without a position begins here.
   *
   * @throws what writing a position throws
   */
  async start(tail: () => LogTail): Promise<void> {
    this.#tail = tail
    const { chain, sequence, hash, bytes } = tail()
    const files = await this.#segments.list()
    const ofChain = files.filter(({ first }) => first.chain === chain)
    for (const [index, { first, size }] of ofChain.entries()) {
      const next = ofChain[index + 1]?.first.sequence ?? sequence + 1
      const isWritten = index === ofChain.length - 1 && bytes > 0
      if (isWritten) this.#first = first.sequence
      else this.#closed.push({ first: first.sequence, last: next - 1, bytes: size })
    }
    if (bytes === 0) this.#first = sequence + 1
    for (const sink of this.#sinks) {
      sink.position = await readPosition(sink.positionFile)
      if (sink.position !== undefined) continue
      sink.position = { chain, sequence, hash, offset: bytes }
      await writePosition(sink.positionFile, sink.position)
    }
    this.#since.note(sequence)
    this.#measure()
    this.#timer = setInterval(() => void this.refresh(), REFRESH_MS).unref()
  }

  /** The file that was written to has another name now, and had so many bytes. */
  switched(bytes: number): void {
    const { sequence } = this.#tail()
    if (sequence >= this.#first) {
      this.#closed.push({ first: this.#first, last: sequence, bytes })
      this.#first = sequence + 1
    }
    this.#measure()
  }

  /** Why no event may be written now; `undefined` where there is room. */
  fullFor(more: number): CountersignError | undefined {
    if (this.#tail().bytes + more <= this.#fullAt) return undefined
    const { maxBytes } = this.#options.spool
    return new CountersignError(
      'audit-unwritable',
      `the audit spool is full: more than ${maxBytes} bytes (audit.spool.maxBytes) wait for the sink "${this.#fullest}"`,
    )
  }

  /** Whether there is no room for an event of the usual length. */
  get isFull(): boolean {
    return this.fullFor(USUAL_BYTES) !== undefined
  }

  /** What waits for each sink. */
  backlogs(): ReadonlyMap<string, SinkBacklog> {
    const tail = this.#tail()
    return new Map(
      this.#sinks.map((sink) => {
        const sent = this.#sentOf(sink, tail)
        const records = Math.max(0, tail.sequence - sent)
        const seconds = records === 0 ? 0 : this.#since.secondsAfter(sent)
        const bytes =
          records === 0 ? 0 : this.#closedBytes(sink, sent) + this.#openBytes(sink, sent)
        return [sink.name, { bytes, records, seconds }]
      }),
    )
  }

  /**
   * The rotated files that must not be deleted, by path: sinks do not have all of their records. With `drop-oldest` the newest of them,
   * up to the bound.
   */
  async held(): Promise<ReadonlySet<string>> {
    await this.refresh()
    const { maxBytes, whenFull } = this.#options.spool
    const files = await this.#segments.list()
    const waiting = files.filter((file) => this.#sinks.some((sink) => waitsFor(file, files, sink)))
    if (whenFull === 'refuse') return new Set(waiting.map(({ path }) => path))
    const held = new Set<string>()
    let bytes = 0
    for (const { path, size } of waiting.toReversed()) {
      bytes += size
      if (bytes > maxBytes) break
      held.add(path)
    }
    return held
  }

  /** Reads the positions. Never rejects: an unreadable one stays as it was. */
  async refresh(): Promise<void> {
    this.#since.note(this.#tail().sequence)
    for (const sink of this.#sinks) {
      try {
        sink.position = (await readPosition(sink.positionFile)) ?? sink.position
      } catch (cause) {
        this.#options.logger.error({ err: cause }, 'position of audit sink not read')
      }
    }
    this.#measure()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #measure(): void {
    const tail = this.#tail()
    const least = Math.min(...this.#sinks.map((sink) => this.#sentOf(sink, tail)))
    this.#closed = this.#closed.filter(({ last }) => last > least)
    this.#since.forgetUntil(least)
    this.#fullAt = Number.POSITIVE_INFINITY
    const { whenFull, maxBytes } = this.#options.spool
    if (whenFull !== 'refuse') return
    for (const sink of this.#sinks) {
      const sent = this.#sentOf(sink, tail)
      const inOpen = sent >= this.#first ? (sink.position?.offset ?? 0) : 0
      const fullAt = maxBytes - this.#closedBytes(sink, sent) + inOpen
      if (fullAt >= this.#fullAt) continue
      this.#fullAt = fullAt
      this.#fullest = sink.name
    }
  }

  /** The number of the last record that a sink has. Of another chain, which was before this one: none. */
  #sentOf({ position }: Sink, { chain }: LogTail): number {
    return position?.chain === chain ? position.sequence : 0
  }

  #closedBytes({ position }: Sink, sent: number): number {
    let bytes = 0
    for (const { first, last, bytes: size } of this.#closed) {
      if (last > sent) bytes += Math.max(0, size - (first <= sent ? (position?.offset ?? 0) : 0))
    }
    return bytes
  }

  #openBytes({ position }: Sink, sent: number): number {
    return Math.max(0, this.#tail().bytes - (sent >= this.#first ? (position?.offset ?? 0) : 0))
  }
}

/** Whether a sink has to get records of a file. */
const waitsFor = (file: Segment, files: readonly Segment[], { position }: Sink): boolean => {
  if (position === undefined) return true
  const { chain, sequence } = file.first
  if (chain !== position.chain) {
    // A chain that was begun after the one of the position; older ones were sent.
    return files.every(
      (other) => other.first.chain !== position.chain || other.modified < file.modified,
    )
  }
  const next = files.find(({ first }) => first.chain === chain && first.sequence > sequence)
  return next === undefined || next.first.sequence - 1 > position.sequence
}
